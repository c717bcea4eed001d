//! AWS Signature Version 4 in the query string and in forms: presigned URLs, policies, and their verification
//! (AWS S3 API Reference, "Authenticating Requests: Using Query Parameters (AWS Signature Version 4)" and "Browser-Based Uploads Using
//! POST").

mod policy;
mod presign;
mod signature;
mod verify;

pub use policy::{sign_policy, verify_policy};
pub use presign::{Credentials, Target, presign};
pub use verify::{MAX_EXPIRES_S, QuerySignature, SecretOf, stray_headers, verify};
