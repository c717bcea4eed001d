use super::*;
use crate::content::{Tile, multipart_etag, tile};

fn list(state: &mut State, id: &str, max: Option<u32>, marker: Option<u32>) -> PartList {
    let operation = Operation::ListParts {
        bucket: "media".to_string(),
        key: "k".to_string(),
        upload_id: id.to_string(),
        max_parts: max,
        part_number_marker: marker,
    };
    match step(operation, state, NOW) {
        Ok(Reply::Parts(page)) => page,
        other => panic!("no list: {other:?}"),
    }
}

fn abort(state: &mut State, id: &str) -> Result<Reply, StoreError> {
    let operation = Operation::AbortMultipartUpload {
        bucket: "media".to_string(),
        key: "k".to_string(),
        upload_id: id.to_string(),
    };
    step(operation, state, NOW)
}

#[test]
fn parts_become_an_object() {
    let mut state = state();
    let id = begin(&mut state);
    let pieces =
        [Content::symbolic(1, 0, 5 * MIB), Content::symbolic(1, 5 * MIB, 5 * MIB), Content::symbolic(1, 10 * MIB, 3)];
    // The parts are uploaded in any order, and one of them twice.
    let third = send(&mut state, &id, 3, pieces[2].clone()).unwrap();
    let second = send(&mut state, &id, 2, pieces[1].clone()).unwrap();
    send(&mut state, &id, 1, Content::symbolic(9, 0, 7)).unwrap();
    let first = send(&mut state, &id, 1, pieces[0].clone()).unwrap();
    assert_eq!(state.take_discarded(), [Content::symbolic(9, 0, 7)]);
    assert_eq!(first, pieces[0].etag());

    let quoted = format!("\"{second}\"");
    let parts = [(1, first.as_str()), (2, &quoted), (3, &third)];
    let reply = complete(&mut state, &id, &parts, false).unwrap();
    let etag = multipart_etag(&pieces);
    assert!(etag.ends_with("-3"));
    let location = "http://store.test/media/k".to_string();
    assert_eq!(reply, Reply::Completed { etag, location, checksum: None });
    let whole = Tile { file: 1, start: 0, size: 10 * MIB + 3 };
    assert_eq!(tile(&state.contents("media", "k").unwrap()), Some(whole));
    assert!(state.open_uploads().is_empty());

    let again = complete(&mut state, &id, &parts, false);
    assert_eq!(code(again), (404, "NoSuchUpload"));
    let late = send(&mut state, &id, 1, pieces[0].clone());
    assert_eq!(code(late), (404, "NoSuchUpload"));
}

#[test]
fn complete_checks_order_existence_etags_and_sizes() {
    let mut state = state();
    let id = begin(&mut state);
    let a = send(&mut state, &id, 1, Content::symbolic(1, 0, 5 * MIB)).unwrap();
    let b = send(&mut state, &id, 2, Content::symbolic(1, 5 * MIB, 5 * MIB - 1)).unwrap();
    let c = send(&mut state, &id, 3, Content::symbolic(1, 0, 1)).unwrap();
    let (a, b, c) = (a.as_str(), b.as_str(), c.as_str());
    let cases: [(&[(u32, &str)], &str); 8] = [
        (&[], "MalformedXML"),
        (&[(2, b), (1, a)], "InvalidPartOrder"),
        (&[(1, a), (1, a)], "InvalidPartOrder"),
        (&[(1, a), (4, b)], "InvalidPart"),
        (&[(1, b), (2, b)], "InvalidPart"),
        (&[(1, ""), (2, b)], "InvalidPart"),
        (&[(1, a), (2, b), (3, c)], "EntityTooSmall"),
        (&[(3, c), (4, b)], "InvalidPart"),
    ];
    for (parts, expected) in cases {
        let outcome = complete(&mut state, &id, parts, false);
        assert_eq!(code(outcome), (400, expected), "{parts:?}");
    }
    // The refusals have removed nothing, and parts may be left out.
    assert!(complete(&mut state, &id, &[(1, a), (3, c)], false).is_ok());
    assert_eq!(state.contents("media", "k").unwrap().len(), 2);
    let left = Content::symbolic(1, 5 * MIB, 5 * MIB - 1);
    assert_eq!(state.take_discarded(), [left]);
}

#[test]
fn the_smallest_part_and_equal_parts_are_settings() {
    let mut state = state();
    state.config.min_part_size = 5_000_000;
    state.config.equal_parts = true;
    for (sizes, fine) in [
        ([5_000_000, 5_000_000, 1], true),
        ([5_000_000, 5_000_001, 1], false),
        ([5_000_000, 5_000_000, 5_000_001], false),
        ([4_999_999, 4_999_999, 1], false),
    ] {
        let id = begin(&mut state);
        let etags: Vec<String> = (1..)
            .zip(sizes)
            .map(|(n, size)| send(&mut state, &id, n, Content::symbolic(1, 0, size)).unwrap())
            .collect();
        let parts: Vec<_> = (1..).zip(etags.iter().map(String::as_str)).collect();
        let outcome = complete(&mut state, &id, &parts, false);
        assert_eq!(outcome.is_ok(), fine, "{sizes:?}");
    }
}

#[test]
fn conditional_complete_sees_the_key_and_its_deletion() {
    let mut state = state();
    let put = Operation::PutObject {
        bucket: "media".to_string(),
        key: "k".to_string(),
        content: Content::bytes(*b"x"),
        content_type: None,
        headers: Vec::new(),
        if_none_match: false,
        content_md5: None,
        checksum: None,
    };
    let delete = Operation::DeleteObject { bucket: "media".to_string(), key: "k".to_string() };
    step(put, &mut state, NOW).unwrap();
    let id = begin(&mut state);
    let etag = send(&mut state, &id, 1, Content::bytes(*b"abc")).unwrap();
    let parts = [(1, etag.as_str())];
    let exists = complete(&mut state, &id, &parts, true);
    assert_eq!(code(exists), (412, "PreconditionFailed"));
    assert_eq!(state.open_uploads().len(), 1, "the upload is still there");
    step(delete, &mut state, NOW).unwrap();
    let raced = complete(&mut state, &id, &parts, true);
    assert_eq!(code(raced), (409, "ConditionalRequestConflict"));
    // A new upload starts.
    let id = begin(&mut state);
    let etag = send(&mut state, &id, 1, Content::bytes(*b"abc")).unwrap();
    assert!(complete(&mut state, &id, &[(1, &etag)], true).is_ok());
}

#[test]
fn part_numbers_digests_buckets_and_keys_are_checked() {
    let mut state = state();
    let id = begin(&mut state);
    for number in [0, 10_001] {
        let outcome = send(&mut state, &id, number, Content::bytes(*b"x"));
        assert_eq!(code(outcome), (400, "InvalidArgument"));
    }
    assert!(send(&mut state, &id, 10_000, Content::bytes(*b"x")).is_ok());
    let too_large = send(&mut state, &id, 1, Content::symbolic(1, 0, MAX_PART + 1));
    assert_eq!(code(too_large), (400, "EntityTooLarge"));
    let unknown = send(&mut state, "none", 1, Content::bytes(*b"x"));
    assert_eq!(code(unknown), (404, "NoSuchUpload"));
    for (key, md5, expected) in [("other", None, (404, "NoSuchUpload")), ("k", Some([0; 16]), (400, "BadDigest"))] {
        let operation = Operation::UploadPart {
            bucket: "media".to_string(),
            key: key.to_string(),
            upload_id: id.clone(),
            part_number: 1,
            content: Content::bytes(*b"x"),
            content_md5: md5,
            checksum: None,
        };
        assert_eq!(code(step(operation, &mut state, NOW)), expected);
    }
    assert_eq!(list(&mut state, &id, None, None).parts.len(), 1);
}

#[test]
fn lists_have_pages() {
    let mut state = state();
    let id = begin(&mut state);
    for number in (1..=2_500).rev() {
        let content = Content::symbolic(1, u64::from(number), 1);
        send(&mut state, &id, number, content).unwrap();
    }
    let first = list(&mut state, &id, Some(5_000), None);
    assert_eq!((first.max_parts, first.parts.len()), (1_000, 1_000));
    assert_eq!(first.next_part_number_marker, Some(1_000));
    assert_eq!(first.parts[999].part_number, 1_000);
    let last = list(&mut state, &id, None, Some(2_000));
    assert_eq!((last.parts.len(), last.parts[0].part_number), (500, 2_001));
    assert_eq!(last.next_part_number_marker, None);
    assert_eq!(last.parts[0].etag, Content::symbolic(1, 2_001, 1).etag());
    assert_eq!(last.parts[0].last_modified, NOW);
    let two = list(&mut state, &id, Some(2), Some(7));
    let numbers: Vec<u32> = two.parts.iter().map(|part| part.part_number).collect();
    assert_eq!((numbers, two.next_part_number_marker), (vec![8, 9], Some(9)));
    assert!(list(&mut state, &id, None, Some(u32::MAX)).parts.is_empty());
}

#[test]
fn abort_removes_the_parts_once() {
    let mut state = state();
    let id = begin(&mut state);
    send(&mut state, &id, 1, Content::bytes(*b"x")).unwrap();
    assert_eq!(state.open_uploads()[0].parts, 1);
    assert_eq!(abort(&mut state, &id), Ok(Reply::Aborted));
    assert_eq!(state.take_discarded(), [Content::bytes(*b"x")]);
    assert_eq!(code(abort(&mut state, &id)), (404, "NoSuchUpload"));
    assert_eq!(state.contents("media", "k"), None);
}

#[test]
fn opaque_etags_look_like_etags_and_are_checked_too() {
    let mut state = state();
    state.config.opaque_etags = true;
    let id = begin(&mut state);
    let content = Content::bytes(*b"x");
    let etag = send(&mut state, &id, 1, content.clone()).unwrap();
    assert_eq!(etag.len(), 32);
    assert_ne!(etag, content.etag());
    let wrong = complete(&mut state, &id, &[(1, &content.etag())], false);
    assert_eq!(code(wrong), (400, "InvalidPart"));
    match complete(&mut state, &id, &[(1, &etag)], false) {
        Ok(Reply::Completed { etag, .. }) => {
            assert!(etag.ends_with("-1"));
            assert_ne!(etag, multipart_etag(&[content]));
        }
        other => panic!("not completed: {other:?}"),
    }
}

#[test]
fn etags_depend_on_encryption_and_damage() {
    let content = || Content::bytes(*b"x");
    let twice = |change: fn(&mut Config)| {
        let mut state = state();
        change(&mut state.config);
        let id = begin(&mut state);
        [1, 1].map(|number| send(&mut state, &id, number, content()).unwrap())
    };
    let plain = content().etag();
    assert_eq!(twice(|config| config.encryption = Some("AES256".into())), [plain.clone(), plain.clone()]);
    for change in [
        |config: &mut Config| config.encryption = Some("aws:kms".into()),
        |config: &mut Config| config.encryption = Some("aws:kms:dsse".into()),
        |config: &mut Config| config.opaque_etags = true,
    ] {
        let [one, two] = twice(change);
        assert!(one != two && one != plain && two != plain, "another one each time");
    }
    let [one, two] = twice(|config| config.wrong_etags = true);
    assert!(one == two && one != plain, "wrong, and the same");
}

#[test]
fn the_same_operations_give_the_same_ids() {
    let tell = || {
        let mut state = state();
        (begin(&mut state), state.issue_credentials(1, 2))
    };
    assert_eq!(tell(), tell());
    fn sent<T: Send>(_: &T) {}
    sent(&state());
}
