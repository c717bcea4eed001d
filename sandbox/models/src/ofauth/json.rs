use super::errors::Refusal;
use crate::json::Fields;
use crate::wire::Request;

/// The JSON body, read by `read`, with nothing left over. Every fault of it is a 400.
pub(super) fn body<T>(request: &Request, read: impl FnOnce(&mut Fields) -> Result<T, String>) -> Result<T, Refusal> {
    let whole = || -> Result<T, String> {
        let mut fields = Fields::of(request)?;
        let value = read(&mut fields)?;
        fields.done()?;
        Ok(value)
    };
    whole().map_err(|message| Refusal::bad_request(&message))
}
