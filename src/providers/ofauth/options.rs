//! The provider's options.

use crate::json::decoded;

decoded! {
    /// As the caller gives them, but for `vaultUpload`, which goes to init as it is.
    pub(super) struct Options {
        pub(super) base_url: Option<String> = "baseUrl",
        pub(super) connection_id: Option<String> = "connectionId",
        pub(super) skip_existing: Option<bool> = "skipExisting",
        pub(super) api_key: Option<String> = "apiKey",
        pub(super) dangerously_expose_secrets: Option<bool> = "dangerouslyExposeSecrets",
    }
}
