use super::*;
use crate::checksum::{Algorithm, Checksum};
use crate::wire::{Body, Headers, Request, Response};

/// The CRC-64/NVME of "123456789", as base64 of its big-endian bytes.
const CRC: &str = "rosUhgp5mIg=";

fn store(checksums: Checksums) -> State {
    State::new(Config { checksums, min_part_size: 1, ..Config::default() })
}

fn call(state: &mut State, method: &str, query: &[(&str, &str)], headers: &[(&str, &str)], body: &str) -> Response {
    let signed: Headers = headers.iter().copied().collect();
    let query: Vec<_> = query.iter().map(|(name, value)| (name.to_string(), value.to_string())).collect();
    let url = state.presign(method, "media", "k", &query, &signed, 60, NOW);
    let body = match method {
        "PUT" => Body::Content(Content::bytes(body.as_bytes().to_vec())),
        _ => Body::Text(body.as_bytes().to_vec()),
    };
    let mut request = Request::new(method, &url).with_body(body);
    for (name, value) in headers {
        request.headers.append(name, value);
    }
    http_step(&request, state, NOW)
}

fn element<'a>(response: &'a str, name: &str) -> Option<&'a str> {
    let start = response.find(&format!("<{name}>"))? + name.len() + 2;
    Some(&response[start..response.find(&format!("</{name}>"))?])
}

/// A part's bytes, and the headers that it is sent with.
type Sent<'a> = (&'a str, &'a [(&'a str, &'a str)]);

/// Opens an upload, and sends parts with the headers that are given for each.
fn sent(state: &mut State, create: &[(&str, &str)], parts: &[Sent<'_>]) -> (String, Vec<Response>) {
    let created = call(state, "POST", &[("uploads", "")], create, "");
    assert_eq!(created.status, 200, "{}", created.text());
    let id = element(&created.text(), "UploadId").unwrap().to_string();
    let send = |(index, (text, headers)): (usize, &Sent<'_>)| {
        let number = (index + 1).to_string();
        call(state, "PUT", &[("partNumber", &number), ("uploadId", &id)], headers, text)
    };
    let answers = parts.iter().enumerate().map(send).collect();
    (id, answers)
}

fn completed(state: &mut State, id: &str, headers: &[(&str, &str)], parts: &[(&str, &str)]) -> Response {
    let rows: String = parts
        .iter()
        .enumerate()
        .map(|(index, (text, more))| {
            let etag = Content::bytes(text.as_bytes().to_vec()).etag();
            format!("<Part><PartNumber>{}</PartNumber><ETag>{etag}</ETag>{more}</Part>", index + 1)
        })
        .collect();
    let body = format!("<CompleteMultipartUpload>{rows}</CompleteMultipartUpload>");
    call(state, "POST", &[("uploadId", id)], headers, &body)
}

#[test]
fn a_store_says_what_it_computes_where_it_is_set_to() {
    for (checksums, at_part, at_complete) in
        [(Checksums::Off, None, None), (Checksums::Complete, None, Some(CRC)), (Checksums::All, Some(CRC), Some(CRC))]
    {
        let mut state = store(checksums);
        let put = call(&mut state, "PUT", &[], &[], "123456789");
        assert_eq!(put.header("x-amz-checksum-crc64nvme"), at_part, "{checksums:?}");
        assert_eq!(put.header("x-amz-checksum-type"), at_part.map(|_| "FULL_OBJECT"));
        let (id, parts) = sent(&mut state, &[], &[("123456", &[]), ("789", &[])]);
        assert_eq!(parts[0].header("x-amz-checksum-crc64nvme").is_some(), at_part.is_some());
        let answer = completed(&mut state, &id, &[], &[("123456", ""), ("789", "")]).text();
        assert_eq!(element(&answer, "ChecksumCRC64NVME"), at_complete, "{answer}");
        assert_eq!(element(&answer, "ChecksumType"), at_complete.map(|_| "FULL_OBJECT"));
        for (query, headers) in
            [(&[][..], &[("x-amz-checksum-mode", "ENABLED")][..]), (&[("x-amz-checksum-mode", "ENABLED")][..], &[][..])]
        {
            let head = call(&mut state, "HEAD", query, headers, "");
            assert_eq!((head.status, head.header("x-amz-checksum-crc64nvme")), (200, at_complete));
        }
        assert_eq!(call(&mut state, "HEAD", &[], &[], "").header("x-amz-checksum-crc64nvme"), None, "nobody asked");
    }
}

#[test]
fn a_wrong_checksum_is_refused_and_stores_nothing() {
    let mut state = store(Checksums::All);
    for (headers, code) in [
        (&[("x-amz-checksum-crc64nvme", "AAAAAAAAAAA=")][..], "BadDigest"),
        (&[("x-amz-checksum-sha256", "ungWv48Bz+pBQUDeXa4iI7ADYaOWF3qctBD/YfIAFa0=")][..], "BadDigest"),
        (&[("x-amz-checksum-crc64nvme", "rosUhg==")][..], "InvalidRequest"),
        (&[("x-amz-checksum-crc64nvme", CRC), ("x-amz-checksum-sha256", "AA==")][..], "InvalidRequest"),
        (&[("x-amz-checksum-crc32", CRC)][..], "NotImplemented"),
    ] {
        let answer = call(&mut state, "PUT", &[], headers, "123456789");
        assert_eq!(element(&answer.text(), "Code"), Some(code), "{headers:?}");
    }
    assert!(state.keys("media").is_empty());
    assert_eq!(call(&mut state, "PUT", &[], &[("x-amz-checksum-crc64nvme", CRC)], "123456789").status, 200);
    let old = call(&mut store(Checksums::Off), "PUT", &[], &[("x-amz-checksum-crc64nvme", CRC)], "123456789");
    assert_eq!(element(&old.text(), "Code"), Some("NotImplemented"));
}

#[test]
fn algorithm_and_type_must_fit_each_other() {
    for (headers, code) in [
        (&[("x-amz-checksum-type", "FULL_OBJECT")][..], "InvalidRequest"),
        (&[("x-amz-checksum-algorithm", "CRC64NVME"), ("x-amz-checksum-type", "COMPOSITE")][..], "InvalidRequest"),
        (&[("x-amz-checksum-algorithm", "SHA256"), ("x-amz-checksum-type", "FULL_OBJECT")][..], "InvalidRequest"),
    ] {
        let answer = call(&mut store(Checksums::All), "POST", &[("uploads", "")], headers, "");
        assert_eq!(element(&answer.text(), "Code"), Some(code), "{headers:?}");
    }
}

#[test]
fn a_composite_upload_needs_each_parts_value_twice() {
    let value = |text: &str| Algorithm::Sha256.of_body(&Content::bytes(text.as_bytes().to_vec())).unwrap();
    let (one, two) = (value("a"), value("b"));
    let create = [("x-amz-checksum-algorithm", "SHA256"), ("x-amz-checksum-type", "COMPOSITE")];
    let mut state = store(Checksums::Complete);
    let header = |value: &'_ str| [("x-amz-checksum-sha256", value.to_string())];
    let (first, second) = (header(&one), header(&two));
    let first = first.each_ref().map(|(name, value)| (*name, value.as_str()));
    let second = second.each_ref().map(|(name, value)| (*name, value.as_str()));
    let (id, answers) = sent(&mut state, &create, &[("a", &first), ("b", &second)]);
    assert_eq!(answers[0].header("x-amz-checksum-sha256"), Some(one.as_str()), "what was sent is said");
    let listed = call(&mut state, "GET", &[("uploadId", &id)], &[], "").text();
    assert_eq!(element(&listed, "ChecksumSHA256"), Some(one.as_str()), "{listed}");

    let named = |value: &str| format!("<ChecksumSHA256>{value}</ChecksumSHA256>");
    let refused = completed(&mut state, &id, &[], &[("a", &named(&one)), ("b", "")]).text();
    assert!(refused.contains("InvalidRequest") && refused.contains("missing for part 2"), "{refused}");
    let swapped = completed(&mut state, &id, &[], &[("a", &named(&two)), ("b", &named(&two))]).text();
    assert_eq!(element(&swapped, "Code"), Some("InvalidPart"));
    let done = completed(&mut state, &id, &[], &[("a", &named(&one)), ("b", &named(&two))]).text();
    assert!(element(&done, "ChecksumSHA256").is_some_and(|value| value.ends_with("-2")), "{done}");
    assert_eq!(element(&done, "ChecksumType"), Some("COMPOSITE"));

    let (_, answers) = sent(&mut state, &create, &[("a", &[]), ("a", &[("x-amz-checksum-crc64nvme", CRC)])]);
    let codes: Vec<_> = answers.iter().map(|answer| answer.status).collect();
    assert_eq!(codes, [400, 400], "another algorithm, or none");
    assert!(answers[0].text().contains("expected checksum Type: sha256, actual checksum Type: null"));
}

#[test]
fn a_list_of_parts_has_the_checksums_that_the_store_has() {
    let of = |checksums, create: &[(&str, &str)], encryption: Option<&str>| {
        let mut state = store(checksums);
        state.config.encryption = encryption.map(String::from);
        let (id, _) = sent(&mut state, create, &[("123456789", &[])]);
        let listed = call(&mut state, "GET", &[("uploadId", &id)], &[], "").text();
        ["ChecksumCRC64NVME", "ChecksumAlgorithm", "ChecksumType"].map(|name| element(&listed, name).map(String::from))
    };
    let crc = [("x-amz-checksum-algorithm", "CRC64NVME"), ("x-amz-checksum-type", "FULL_OBJECT")];
    let said = |crc: Option<&str>, algorithm: Option<&str>| {
        [crc, algorithm, algorithm.map(|_| "FULL_OBJECT")].map(|text| text.map(String::from))
    };
    assert_eq!(of(Checksums::Off, &[], None), said(None, None));
    assert_eq!(of(Checksums::Complete, &[], None), said(None, None));
    for encryption in [None, Some("aws:kms")] {
        assert_eq!(of(Checksums::All, &[], encryption), said(Some(CRC), None), "the store computes it by itself");
        assert_eq!(of(Checksums::Complete, &crc, encryption), said(Some(CRC), Some("CRC64NVME")));
    }
}

#[test]
fn complete_compares_the_whole_before_the_object_exists() {
    let mut state = store(Checksums::All);
    let create = [("x-amz-checksum-algorithm", "CRC64NVME"), ("x-amz-checksum-type", "FULL_OBJECT")];
    let (id, _) = sent(&mut state, &create, &[("123456", &[]), ("789", &[])]);
    let parts = [("123456", ""), ("789", "")];
    let wrong = completed(&mut state, &id, &[("x-amz-checksum-crc64nvme", "AAAAAAAAAAA=")], &parts).text();
    assert_eq!(element(&wrong, "Code"), Some("BadDigest"), "{wrong}");
    assert!(state.keys("media").is_empty());
    assert_eq!(completed(&mut state, &id, &[("x-amz-checksum-crc64nvme", CRC)], &parts).status, 200);
}

#[test]
fn damaged_bytes_have_another_checksum() {
    for content in [Content::bytes(b"123456789".to_vec()), Content::symbolic(3, 5, 9 * MIB)] {
        let damaged = content.damaged();
        assert_ne!((damaged.crc64().unwrap(), damaged.md5), (content.crc64().unwrap(), content.md5));
        assert_eq!(damaged.size, content.size);
        let claim =
            Checksum { algorithm: Algorithm::Crc64Nvme, value: Algorithm::Crc64Nvme.of_body(&content).unwrap() };
        let mut state = store(Checksums::All);
        let put = |content: Content| Operation::PutObject {
            bucket: "media".into(),
            key: "k".into(),
            content,
            content_type: None,
            headers: Vec::new(),
            if_none_match: false,
            content_md5: None,
            checksum: Some(claim.clone()),
        };
        assert_eq!(code(step(put(damaged), &mut state, NOW)), (400, "BadDigest"));
        assert!(step(put(content), &mut state, NOW).is_ok());
    }
}
