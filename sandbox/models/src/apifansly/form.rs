//! The form of an upload.

use serde_json::Value;

use crate::content::Content;
use crate::json::Fields;
use crate::wire::{Body, FormField, FormValue, Request};

/// The file and the fields of a form.
#[derive(Clone, Debug)]
pub(super) struct File {
    pub(super) name: String,
    pub(super) mimetype: String,
    pub(super) content: Content,
    pub(super) form_inputs: Vec<(f64, String)>,
}

/// Reads `file` and `formInputs` (documentation, "Request Body"). Other fields, and repeated ones, are refused.
pub(super) fn read(request: &Request) -> Result<File, String> {
    let Body::Form(fields) = &request.body else {
        return Err("The body must be multipart/form-data".to_string());
    };
    // A page that sets this header itself sends no boundary.
    if let Some(header) = request.header("content-type")
        && !(request.media_type() == "multipart/form-data" && header.contains("boundary="))
    {
        let message = format!("Content-Type must be multipart/form-data with a boundary: {header}");
        return Err(message);
    }
    let (mut file, mut form_inputs) = (None, None);
    for field in fields {
        match field.name.as_str() {
            "file" if file.is_none() => file = Some(read_file(field)?),
            "formInputs" if form_inputs.is_none() => {
                form_inputs = Some(read_form_inputs(field)?);
            }
            other => return Err(format!("Unexpected field {other}")),
        }
    }
    let mut file = file.ok_or("file is required")?;
    file.form_inputs = form_inputs.unwrap_or_default();
    Ok(file)
}

fn read_file(field: &FormField) -> Result<File, String> {
    let name = field.filename.clone().filter(|name| !name.is_empty()).ok_or("file must be a file, with a name")?;
    let content = match &field.value {
        FormValue::Content(content) => content.clone(),
        FormValue::Bytes(bytes) => Content::bytes(bytes.clone()),
    };
    if content.size == 0 {
        return Err("file is empty".to_string());
    }
    let mimetype = field.content_type.clone();
    Ok(File {
        name,
        mimetype: mimetype.unwrap_or_else(|| "application/octet-stream".to_string()),
        content,
        form_inputs: Vec::new(),
    })
}

/// A JSON array of `{type: number, value: string}`.
fn read_form_inputs(field: &FormField) -> Result<Vec<(f64, String)>, String> {
    let wrong = || "formInputs must be a JSON array of {type: number, value: string}".to_string();
    let text = match &field.value {
        _ if field.filename.is_some() => return Err(wrong()),
        FormValue::Bytes(bytes) => bytes.as_slice(),
        FormValue::Content(content) => content.held().ok_or_else(wrong)?,
    };
    let list: Vec<Value> = serde_json::from_slice(text).map_err(|_| wrong())?;
    let read = |value: Value| {
        let mut fields = Fields::in_value(value, "an input").ok()?;
        let kind = fields.take("type")?.as_f64()?;
        let value = fields.take("value")?.as_str()?.to_string();
        fields.done().ok()?;
        Some((kind, value))
    };
    list.into_iter().map(|value| read(value).ok_or_else(wrong)).collect()
}
