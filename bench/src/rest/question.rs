//! The questions of the web app's pages, each client with its own sorts, filters and places.

/// What a client remembers of the answers before.
#[derive(Debug, Default)]
pub(super) struct Memory {
    /// A flow of the newest list.
    pub(super) flow: Option<String>,
    /// The newest list, and the cursor of the page that follows.
    pub(super) next: Option<(String, String)>,
}

/// Whether an answer is a list of flows to be remembered.
pub(super) const LIST: &str = "flows";

/// The question of that turn: its kind and its path.
pub(super) fn question(turn: usize, memory: &Memory) -> (&'static str, String) {
    let sort = ["bytes", "packets", "duration", "rate", "start"][turn / 12 % 5];
    let order = if turn / 60 % 4 == 3 { "asc" } else { "desc" };
    let flows = |filter: String| format!("/api/v1/flows?from=-15m&sort={sort}&order={order}&limit=50&filter={filter}");
    let top = |by: &str| format!("/api/v1/traffic/top?from=-5m&by={by}&limit=10");
    let (near, far) = (turn / 12 * 37 % 256, turn / 12 * 101 % 256);
    match turn % 12 {
        0 => (LIST, flows(String::new())),
        1 => match &memory.next {
            Some((path, cursor)) => ("flows, next page", format!("{path}&cursor={cursor}")),
            None => (LIST, flows(String::new())),
        },
        2 => match &memory.flow {
            Some(id) => ("one flow", format!("/api/v1/flows/{id}")),
            None => (LIST, flows(String::new())),
        },
        3 => ("flows of a host", flows(format!("host+10.0.{near}.{far}"))),
        4 => ("flows of a network", flows(format!("src+in+10.0.{near}.0%2F24"))),
        5 => ("flows by port", flows("port+443+and+udp".to_owned())),
        6 => ("flows by bytes", flows("bytes+%3E+2kB+and+app+%3D+https".to_owned())),
        7 => ("talkers", top("host")),
        8 => ("talkers", top(["application", "pair", "port", "protocol"][turn / 12 % 4])),
        9 => ("talkers with a filter", format!("{}&filter=src+in+10.0.{near}.0%2F24", top("host"))),
        10 => ("rates", "/api/v1/traffic/rates?from=-5m&by=application&limit=7".to_owned()),
        _ => ("interfaces", "/api/v1/interfaces".to_owned()),
    }
}

/// The text behind `"key":"` in an answer.
pub(super) fn text_of(answer: &str, key: &str) -> Option<String> {
    let (_, rest) = answer.split_once(&format!("\"{key}\":\""))?;
    rest.split_once('"').map(|(text, _)| text.to_owned())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_next_page_is_asked_of_the_newest_list() {
        let memory = Memory { flow: None, next: Some(("/list?a".to_owned(), "c0".to_owned())) };
        assert_eq!(question(13, &memory).1, "/list?a&cursor=c0");
        let answer = r#"{"items":[{"id":"00ff","source":"x"}],"next_cursor":"abc"}"#;
        assert_eq!(text_of(answer, "next_cursor").as_deref(), Some("abc"));
        assert_eq!(text_of(answer, "id").as_deref(), Some("00ff"));
        assert_eq!(text_of(r#"{"next_cursor":null}"#, "next_cursor"), None);
    }
}
