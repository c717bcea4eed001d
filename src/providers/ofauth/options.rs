//! The provider's options.

use crate::error::{Code, Result, UploadError};
use crate::json::{Decode, Json, decoded};

decoded! {
    /// As the caller gives them, but for `vaultUpload`.
    pub(super) struct Options {
        pub(super) base_url: Option<String> = "baseUrl",
        pub(super) connection_id: Option<String> = "connectionId",
        pub(super) skip_existing: Option<bool> = "skipExisting",
        pub(super) api_key: Option<String> = "apiKey",
        pub(super) dangerously_expose_secrets: Option<bool> = "dangerouslyExposeSecrets",
    }
}

/// The option `vaultUpload`, which goes to init as the caller gave it.
///
/// # Errors
/// `invalid-options` for a mode that OFAuth doesn't have.
pub(super) fn vault_upload<J: Json>(options: &J) -> Result<Option<J>> {
    let vault_upload = options.member("vaultUpload");
    let mode = vault_upload.as_ref().and_then(|vault_upload| vault_upload.member("mode"));
    // OFAuth, "Create upload session": an enum of one value.
    if mode.is_some_and(|mode| String::decode(Some(&mode)).as_deref() != Ok("message")) {
        return Err(UploadError::new(
            Code::InvalidOptions,
            "`vaultUpload.mode` must be \"message\", but is something else.",
        )
        .hint("Leave it out, or give \"message\", the one mode that OFAuth has."));
    }
    Ok(vault_upload)
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    #[test]
    fn the_one_mode_is_taken() {
        let vault = json!({ "mode": "message", "userId": "7" });
        assert_eq!(vault_upload(&json!({ "vaultUpload": vault })).unwrap(), Some(vault));
        assert_eq!(vault_upload(&json!({ "vaultUpload": {} })).unwrap(), Some(json!({})));
        assert_eq!(vault_upload(&json!({})).unwrap(), None);
        for mode in [json!("post"), json!(1)] {
            let error = vault_upload(&json!({ "vaultUpload": { "mode": mode } })).unwrap_err();
            assert_eq!(error.code, Code::InvalidOptions, "{mode}");
        }
    }
}
