//! A filter text: what is accepted is written canonically and reads back as the same.
#![no_main]

use netwatch_model::filter::Filter;

libfuzzer_sys::fuzz_target!(|text: &str| {
    match Filter::parse(text) {
        Ok(filter) => {
            let canonical = filter.to_string();
            assert_eq!(Filter::parse(&canonical).expect("canonical text is valid").to_string(), canonical);
        }
        Err(error) => assert!(error.position as usize <= text.len()),
    }
});
