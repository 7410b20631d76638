use super::*;

fn of(text: &str) -> Vec<u64> {
    let mut out = Vec::new();
    features(text, |f| out.push(f));
    out
}

/// Sets by stretch, as a reader finds them.
fn may_hold(entries: &[Entry], block: u32, feature: u64) -> bool {
    for stretch in 0.. {
        let wanted = key(stretch, feature);
        let Some((found, value)) = entries.iter().rev().find(|(k, _)| k.as_slice() <= &wanted[..]) else { break };
        if found[..4] != wanted[..4] {
            break;
        }
        let set = Set::decode(value).unwrap();
        assert_eq!(set.owner, owner("f"));
        if (set.first_block..set.first_block + set.blocks).contains(&block) {
            return set.may_hold(feature, block - set.first_block);
        }
    }
    panic!("no stretch has block {block}");
}

#[test]
fn what_a_word_asks_for_is_in_the_texts_it_stands_in() {
    let text = "Failed password for <USER1> from <ADDR1> port 50022 web-1 用户登录失败 caféteria Ошибка";
    let has = of(text);
    for (word, asks, there) in [
        ("failed", 1, true),
        ("FAILED", 1, true),
        ("fail*", 1, true),
        ("fa*", 0, true),
        ("password*", 1, true),
        ("<addr1>", 1, true),
        ("web-1", 2, true),
        ("登", 1, true),
        ("登录", 1, true),
        ("用户登录失败", 5, true),
        ("登失", 1, false),
        ("caf", 1, true),
        ("café", 2, true),
        ("Ошибка", 5, true),
        ("accepted", 1, false),
        ("->", 0, true),
    ] {
        let word = Word::parse(word).unwrap();
        let wanted = word.wanted();
        assert_eq!(wanted.len(), asks, "{word:?}");
        assert_eq!(wanted.iter().all(|w| has.contains(w)), there, "{word:?}");
        assert!(!word.is_in(text) || there, "{word:?}");
    }
    assert_eq!(Word::parse("**"), None);
}

#[test]
fn a_block_is_never_denied_and_seldom_named_in_vain() {
    let mut builder = Builder::new("f");
    let mut entries = Vec::new();
    const BLOCKS: u64 = 40;
    for row in 0..BLOCKS * BLOCK_ROWS - 5 {
        let line = format!("session {row} opened by u{} in zone {}", row / 3, row / BLOCK_ROWS);
        entries.extend(builder.row(["host", &line].into_iter()));
    }
    entries.extend(builder.finish());
    assert!(entries.is_sorted_by(|a, b| a.0 < b.0), "in the order of keys");
    let longest = entries.iter().map(|(k, v)| k.len() + v.len()).max().unwrap();
    assert!(longest < 4_096, "a set fits into a block of a table: {longest}");
    let mut false_ones = 0;
    for row in (0..BLOCKS * BLOCK_ROWS - 5).step_by(1_201) {
        let [feature] = Word::parse(&row.to_string()).unwrap().wanted()[..] else { panic!() };
        for block in 0..BLOCKS {
            let said = may_hold(&entries, block as u32, feature);
            assert!(said || block != row / BLOCK_ROWS, "row {row}");
            false_ones += u64::from(said && block != row / BLOCK_ROWS && block != row);
        }
    }
    println!("{false_ones} named in vain of {}", BLOCKS * (BLOCKS * BLOCK_ROWS / 1_201));
    assert!(false_ones <= 12, "{false_ones}");
    for block in 0..BLOCKS as u32 {
        for word in ["opened", "host"] {
            assert!(may_hold(&entries, block, Word::parse(word).unwrap().wanted()[0]), "{word} in {block}");
        }
    }
}

#[test]
fn a_block_of_too_many_words_may_hold_everything() {
    let mut builder = Builder::new("f");
    let mut entries = Vec::new();
    let long: Vec<String> =
        (0..BLOCK_ROWS).map(|row| (0..300).map(|n| format!("x{:x} ", (row * 300 + n) * 0x9e37_79b9)).collect()).collect();
    for line in ["a b c"].into_iter().chain(long.iter().map(String::as_str)).cycle().take(3 * BLOCK_ROWS as usize) {
        entries.extend(builder.row(std::iter::once(line)));
    }
    entries.extend(builder.finish());
    assert_eq!(entries.iter().filter(|(_, v)| v.get(1) == Some(&1)).count(), 3, "each block is a stretch of its own");
    assert!(may_hold(&entries, 1, 0x1234_5678_9abc_def0));
}

#[test]
fn a_set_that_was_cut_or_lengthened_in_its_head_is_refused() {
    let mut builder = Builder::new("f");
    assert!(builder.row(["some words of a line"].into_iter()).is_empty());
    let entries = builder.finish();
    let (_, value) = &entries[0];
    assert!(Set::decode(value).is_ok());
    for len in 0..value.len() - 2 {
        assert!(Set::decode(&value[..len]).is_err(), "{len}");
    }
    let mut more = value.clone();
    more[18] = 0xff;
    assert!(Set::decode(&more).is_err());
    more = value.clone();
    more[0] = 2;
    assert_eq!(Set::decode(&more), Err(FormatError::Version(2)));
}

proptest::proptest! {
    #[test]
    fn any_word_of_any_text_is_known(text in "[a-c1用户é _.*-]{0,40}", from in 0usize..40, len in 1usize..8, star: bool) {
        let word: String = text.chars().skip(from).take(len).chain(star.then_some('*')).collect();
        let mut data = vec![u8::try_from(word.len()).unwrap()];
        data.extend(word.as_bytes());
        data.extend(text.as_bytes());
        fuzz::record_words(&data);
    }
}
