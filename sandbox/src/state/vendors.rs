//! The vendors' models.

use std::sync::Mutex;

use partway_models::{apifansly, content::Content, form, ofauth, onlymonster, wire};

use super::settings::Settings;
use crate::bucket::Store;
use crate::routes::Service;

/// The models: three vendors, and the application's own server.
#[derive(Debug)]
pub(crate) struct Vendors {
    ofauth: Mutex<ofauth::State>,
    onlymonster: Mutex<onlymonster::State>,
    apifansly: Mutex<apifansly::State>,
    form: Mutex<form::State>,
    store: Store,
}

impl Vendors {
    /// Models without uploads; those of Onlymonster go to `store`.
    pub(crate) fn new(settings: &Settings, store: Store) -> Self {
        Self {
            ofauth: Mutex::new(ofauth::State::new(settings.ofauth.clone())),
            onlymonster: Mutex::new(onlymonster::State::new(settings.onlymonster.clone())),
            apifansly: Mutex::new(apifansly::State::new(settings.apifansly.clone())),
            form: Mutex::new(form::State::new(settings.form.clone())),
            store,
        }
    }

    /// Changes the settings and keeps the uploads.
    pub(crate) fn configure(&self, settings: &Settings) {
        self.ofauth.lock().expect("ofauth").config = settings.ofauth.clone();
        self.onlymonster.lock().expect("onlymonster").config = settings.onlymonster.clone();
        self.apifansly.lock().expect("apifansly").config = settings.apifansly.clone();
        self.form.lock().expect("form").config = settings.form.clone();
    }

    /// Removes all uploads.
    pub(crate) fn reset(&self, settings: &Settings) {
        *self.ofauth.lock().expect("ofauth") = ofauth::State::new(settings.ofauth.clone());
        *self.onlymonster.lock().expect("onlymonster") = onlymonster::State::new(settings.onlymonster.clone());
        *self.apifansly.lock().expect("apifansly") = apifansly::State::new(settings.apifansly.clone());
        *self.form.lock().expect("form") = form::State::new(settings.form.clone());
    }

    /// The content that OFAuth, apifansly or the application's own server has under an id.
    pub(crate) fn contents(&self, service: Service, id: &str) -> Option<Vec<Content>> {
        match service {
            Service::Ofauth => self.ofauth.lock().expect("ofauth").contents(id),
            Service::Apifansly => self.apifansly.lock().expect("apifansly").contents(id),
            Service::Form => self.form.lock().expect("form").contents(id),
            Service::Onlymonster | Service::Store => None,
        }
    }

    /// The key of the object behind a media of Onlymonster.
    pub(crate) fn onlymonster_key(&self, id: &str) -> Option<String> {
        self.onlymonster.lock().expect("onlymonster").object_key(id).map(str::to_owned)
    }

    /// Answers one request. The call blocks while Onlymonster calls an existing store.
    pub(crate) fn step(&self, service: Service, request: &wire::Request, now: u64) -> wire::Response {
        match service {
            Service::Ofauth => ofauth::step(request, &mut self.ofauth.lock().expect("ofauth"), now),
            Service::Onlymonster => {
                let mut bucket = self.store.clone();
                onlymonster::step(request, &mut self.onlymonster.lock().expect("onlymonster"), &mut bucket, now)
            }
            Service::Apifansly => apifansly::step(request, &mut self.apifansly.lock().expect("apifansly"), now),
            Service::Form => form::step(request, &mut self.form.lock().expect("form"), now),
            Service::Store => wire::Response::empty(404),
        }
    }
}
