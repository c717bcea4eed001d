//! The application's `transform`: what is sent in the place of a picked file.

use std::cell::{Cell, RefCell};
use std::rc::Rc;

use partway::model::file::SourceFile;
use partway::platform::{HookFailure, Thrown};

use crate::core::Core;
use crate::file::File;

/// What `transform` gives.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Output {
    /// The same bytes each time, as an encoder does.
    Same,
    /// Other bytes of the same length each time, as an encryption with a fresh IV does.
    Fresh,
    /// Each time a byte more than before.
    Growing,
    /// The picked file.
    Picked,
    /// It throws.
    Error,
}

/// How the application's `transform` behaves.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Transform {
    /// What it gives.
    pub output: Output,
    /// How long it takes.
    pub ms: u64,
}

/// The application's `transform`, and what it gave.
#[derive(Debug, Default)]
pub(crate) struct Transforming {
    pub(crate) transform: Cell<Option<Transform>>,
    /// The picked files, and what was given for them.
    given: RefCell<Vec<(File, File)>>,
}

impl Transforming {
    /// How often it was called.
    pub(crate) fn calls(&self) -> usize {
        self.given.borrow().len()
    }

    /// What may be sent of a picked file: everything that was given in its place, or the file itself.
    pub(crate) fn sent(&self, picked: &File) -> Vec<File> {
        let given = self.given.borrow();
        let sent: Vec<File> =
            given.iter().filter(|(file, _)| file.is(picked)).map(|(_, output)| output.clone()).collect();
        if sent.is_empty() { vec![picked.clone()] } else { sent }
    }
}

/// Calls `transform`; None: the file itself is sent.
pub(crate) async fn transform(core: Rc<Core>, picked: File) -> Result<Option<SourceFile<File>>, HookFailure> {
    let transforming = &core.transforming;
    let Some(Transform { output, ms }) = transforming.transform.get() else { return Ok(None) };
    core.executor.sleep_until(core.executor.now() + ms).await;
    let call = transforming.calls() as u64 + 1;
    let made = match output {
        Output::Same => picked.transformed(0, 0),
        Output::Fresh => picked.transformed(call, 0),
        Output::Growing => picked.transformed(0, call),
        Output::Picked => picked.clone(),
        Output::Error => {
            let message = "out of memory".into();
            return Err(HookFailure { message, upload_error: None, kind: Thrown::Anything, cause: None });
        }
    };
    transforming.given.borrow_mut().push((picked.clone(), made.clone()));
    Ok((output != Output::Picked).then(|| made.source()))
}
