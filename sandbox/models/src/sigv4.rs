//! AWS Signature Version 4 in the query string: presigned URLs and their verification
//! (AWS S3 API Reference, "Authenticating Requests: Using Query Parameters (AWS Signature Version 4)").

mod presign;
mod signature;
mod verify;

pub use presign::{Credentials, Target, presign};
pub use verify::{MAX_EXPIRES_S, QuerySignature, SecretOf, stray_headers, verify};
