//! Step 2 of the guide, `POST /fans/verify`: resolving a fan's link before anything is uploaded.

use super::client::Client;
use crate::context::Context;
use crate::context::calls::Idempotency;
use crate::error::{Code, Result, Step};
use crate::http::Body;
use crate::json::{IdText, Json, JsonBuilder, decoded};
use crate::platform::Platform;
use crate::providers::shared::reply;

decoded! {
    struct VerifyReply {
        fan_id: IdText = "fan_id",
    }
}

/// The fan's id, which export gets as `export_fan_id`.
pub(super) async fn verify_fan<P: Platform>(client: &Client, cx: &Context<P>, link: &str) -> Result<String> {
    // Assumed: the member's name. The guide has none.
    let body = P::Json::build(&JsonBuilder::Object(vec![("link", link.into())]));
    let request = client.post(Step::VerifyFan, "/fans/verify", Body::Json(body));
    let response = client.call(cx, request, Idempotency::Safe).await.map_err(|error| match error.code {
        Code::BadRequest => error.hint("Check `fanLink`: Onlymonster doesn't know this fan."),
        _ => error,
    })?;
    let reply: VerifyReply = reply::read::<P::Json, _>(Step::VerifyFan, &response)?;
    Ok(reply.fan_id.0)
}
