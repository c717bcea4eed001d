//! One upload as a test holds it.

use std::cell::{Ref, RefCell};
use std::fmt;
use std::rc::Rc;

use partway::context::notices::Notice;
use partway::engine::handle::Upload;
use partway::error::{Code, UploadError};
use partway::json::Decode;
use partway::model::events::{Event, EventSink, Status, UploadResult};
use partway::model::progress::Progress;
use serde_json::Value;

use crate::core::Core;
use crate::executor::Page;
use crate::file::File;
use crate::platform::SimPlatform;

type SimEvent = Event<Value>;
type Trigger = (Box<dyn Fn(&SimEvent) -> bool>, Box<dyn FnOnce(&Handle)>);

/// One upload. Clones are the same one.
#[derive(Clone)]
pub struct Handle(Rc<Inner>);

/// An upload's place in its world.
#[derive(Clone, Debug)]
pub(crate) struct Place {
    pub(crate) number: usize,
    pub(crate) page: Page,
    pub(crate) session: Option<u64>,
    /// What its requests are counted under, and how many may run at once.
    pub(crate) lane: (String, usize),
}

struct Inner {
    place: Place,
    core: Rc<Core>,
    file: File,
    provider: Value,
    upload: RefCell<Option<Upload<SimPlatform>>>,
    events: RefCell<Vec<(u64, SimEvent)>>,
    triggers: RefCell<Vec<Trigger>>,
}

impl fmt::Debug for Handle {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.story())
    }
}

impl Handle {
    pub(crate) fn new(place: Place, core: Rc<Core>, file: File, provider: Value) -> Self {
        Self(Rc::new(Inner {
            place,
            core,
            file,
            provider,
            upload: RefCell::default(),
            events: RefCell::default(),
            triggers: RefCell::default(),
        }))
    }

    pub(crate) fn sink(&self) -> EventSink<Value> {
        let handle = self.clone();
        Rc::new(move |event| handle.hear(event))
    }

    pub(crate) fn started(&self, upload: Upload<SimPlatform>) {
        self.0.upload.replace(Some(upload));
    }

    fn hear(&self, event: SimEvent) {
        if self.is_gone() {
            return;
        }
        self.0.events.borrow_mut().push((self.0.core.executor.now(), event.clone()));
        let fired: Vec<Trigger> = self.0.triggers.borrow_mut().extract_if(.., |(wanted, _)| wanted(&event)).collect();
        for (_, action) in fired {
            action(self);
        }
    }

    /// Does something once, at the first event that is wanted.
    pub fn when(&self, wanted: impl Fn(&SimEvent) -> bool + 'static, action: impl FnOnce(&Handle) + 'static) {
        self.0.triggers.borrow_mut().push((Box::new(wanted), Box::new(action)));
    }

    /// Does something once, when it is in that status.
    pub fn when_status(&self, status: Status, action: impl FnOnce(&Handle) + 'static) {
        self.when(move |event| matches!(event, Event::Status(now) if *now == status), action);
    }

    /// Pauses it.
    pub fn pause(&self) {
        self.with(Upload::pause);
    }

    /// Lets it go on.
    pub fn resume(&self) {
        self.with(Upload::resume);
    }

    /// Moves it to the front of the queue.
    pub fn prioritize(&self) {
        self.with(Upload::prioritize);
    }

    /// Cancels it.
    pub fn cancel(&self) {
        self.with(Upload::cancel);
    }

    /// Brings a status, as a webhook gives it.
    ///
    /// # Panics
    /// Where the notice has another shape.
    pub fn notify(&self, notice: Value) {
        let notice = Notice::decode(Some(&notice)).unwrap_or_else(|error| panic!("notice: {error:?}"));
        self.with(|upload| upload.notify(notice));
    }

    fn with(&self, act: impl FnOnce(&Upload<SimPlatform>)) {
        if let Some(upload) = self.0.upload.borrow().as_ref().filter(|_| !self.is_gone()) {
            act(upload);
        }
    }

    /// Its number in the log.
    pub fn number(&self) -> usize {
        self.0.place.number
    }

    /// Its session's name, where it is kept.
    pub fn session(&self) -> Option<u64> {
        self.0.place.session
    }

    /// Whether its page is gone.
    pub fn is_gone(&self) -> bool {
        self.0.core.page.get() != self.0.place.page
    }

    /// Its file.
    pub fn file(&self) -> &File {
        &self.0.file
    }

    /// The provider's options that it was started with.
    pub fn provider(&self) -> &Value {
        &self.0.provider
    }

    pub(crate) fn lane(&self) -> &(String, usize) {
        &self.0.place.lane
    }

    /// What it told, and when.
    pub fn events(&self) -> Ref<'_, Vec<(u64, SimEvent)>> {
        self.0.events.borrow()
    }

    /// Its statuses in order.
    pub fn statuses(&self) -> Vec<Status> {
        let status = |(_, event): &(u64, SimEvent)| match event {
            Event::Status(status) => Some(*status),
            _ => None,
        };
        self.events().iter().filter_map(status).collect()
    }

    /// Its progress in order.
    pub fn progress(&self) -> Vec<Progress> {
        let progress = |(_, event): &(u64, SimEvent)| match event {
            Event::Progress(progress) => Some(progress.clone()),
            _ => None,
        };
        self.events().iter().filter_map(progress).collect()
    }

    /// How it ended; None while it runs.
    pub fn result(&self) -> Option<Result<UploadResult<Value>, UploadError>> {
        self.events().iter().rev().find_map(|(_, event)| match event {
            Event::Complete(result) => Some(Ok((**result).clone())),
            Event::Error(error) => Some(Err(error.clone())),
            _ => None,
        })
    }

    /// Its result.
    ///
    /// # Panics
    /// Where it has none.
    #[track_caller]
    pub fn done(&self) -> UploadResult<Value> {
        match self.result() {
            Some(Ok(result)) => result,
            _ => panic!("no result: {}", self.story()),
        }
    }

    /// Its error.
    ///
    /// # Panics
    /// Where it has none.
    #[track_caller]
    pub fn error(&self) -> UploadError {
        match self.result() {
            Some(Err(error)) => error,
            _ => panic!("no error: {}", self.story()),
        }
    }

    /// Its error's code, where that is how it ended.
    pub fn code(&self) -> Option<Code> {
        self.result()?.err().map(|error| error.code)
    }

    /// What happened, to be read by a person.
    pub fn story(&self) -> String {
        let log = self.0.core.log.borrow();
        let begin = log.records.first().map_or(0, |record| record.sent_at);
        let since = |at: u64| at.saturating_sub(begin);
        let mut lines =
            vec![format!("upload {} of {} bytes by {}", self.number(), self.0.file.size(), self.0.provider)];
        let own = log.records.iter().filter(|record| record.upload == self.number());
        let mut entries: Vec<(u64, String)> = own
            .map(|record| {
                let status = record.status.map_or("?".into(), |status| status.to_string());
                let range = record.range.map(|range| format!(" {}..{}", range.start, range.end)).unwrap_or_default();
                let json = record.json.as_ref().map(|json| format!(" {json:.300}")).unwrap_or_default();
                (record.sent_at, format!("{}{range} -> {status} (effects {}){json}", record.route, record.effects))
            })
            .collect();
        entries.extend(self.events().iter().filter_map(|(at, event)| match event {
            Event::Status(status) => Some((*at, format!("status {}", status.as_str()))),
            Event::Error(error) => Some((*at, format!("error {:?}", **error))),
            Event::Complete(result) => Some((*at, format!("complete {:?}", result.outcome))),
            _ => None,
        }));
        entries.sort_by_key(|(at, _)| *at);
        let total = entries.len();
        for (index, (at, what)) in entries.into_iter().enumerate() {
            match index {
                80 if total > 160 => lines.push(format!("  ... {} more ...", total - 160)),
                81.. if total > 160 && index < total - 80 => {}
                _ => lines.push(format!("{:>9} ms  {what}", since(at))),
            }
        }
        lines.extend(log.warnings.iter().map(|warning| format!("warned: {warning}")));
        lines.join("\n")
    }
}
