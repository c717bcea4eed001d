//! Which part of an upload is sent a second time, and when.

use super::run::Run;
use super::tail::MIN_MS;
use crate::context::integrity::Etags;
use crate::model::plan::Part;
use crate::model::session::AnySession;
use crate::platform::Platform;

impl<P: Platform> Run<P> {
    /// Milliseconds after which a part is late, if it may be sent twice then.
    pub(super) fn until_late(&self, session: &dyn AnySession<P::Json>) -> Option<u64> {
        let useful = self.capabilities.repeats_late_parts && session.is_multipart() && self.wanted().md5;
        let (_, at) = self.tail.next().filter(|_| useful)?;
        // Where another reason stands against it, that may pass.
        Some(at.saturating_sub(self.cx.platform.now()).max(MIN_MS / 4))
    }

    /// The part that is late now and is to be sent a second time: never where ETags aren't proven MD5s, nor on a slow line, which a second
    /// copy would slow down further.
    pub(super) fn late_part<'a>(&self, session: &'a dyn AnySession<P::Json>) -> Option<&'a Part> {
        let (number, at) = self.tail.next()?;
        let part = session.plan().part(number)?;
        let proven = self.cx.etags.etags() == Etags::Md5s;
        let due = at <= self.cx.platform.now() && proven && self.cx.is_online();
        if !due || self.cx.is_line_slow(part.range.len(), self.slots.total()) {
            return None;
        }
        self.tail.copied(number);
        Some(part)
    }
}
