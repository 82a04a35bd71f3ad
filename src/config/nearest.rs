//! "Did you mean": the known word that a typed one is closest to.

/// `None` when nothing is close enough to be worth saying.
pub(super) fn nearest<'k>(typed: &str, known: &[&'k str]) -> Option<&'k str> {
    // Other tools spell such keys max-streams or maxStreams.
    let typed = typed.to_lowercase().replace(['-', '_'], "");
    known
        .iter()
        .map(|word| (strsim::osa_distance(&typed, &word.replace('_', "")), *word))
        .filter(|(distance, word)| *distance <= (word.len().min(typed.len()) / 3).max(1))
        .min_by_key(|(distance, _)| *distance)
        .map(|(_, word)| word)
}

/// `did you mean 'x'? ` or nothing: what a fix begins with.
pub(super) fn did_you_mean(typed: &str, known: &[&str]) -> String {
    nearest(typed, known).map_or(String::new(), |word| format!("did you mean '{word}'? "))
}

#[cfg(test)]
mod tests {
    use super::*;

    const KNOWN: &[&str] = &["heartbeat", "retry", "max_streams", "sse"];

    #[test]
    fn a_slip_finds_the_word_meant() {
        assert_eq!(nearest("hartbeat", KNOWN), Some("heartbeat"));
        assert_eq!(nearest("rerty", KNOWN), Some("retry"));
        assert_eq!(nearest("SSE", KNOWN), Some("sse"));
    }

    #[test]
    fn spelling_of_other_tools_is_understood() {
        assert_eq!(nearest("max-streams", KNOWN), Some("max_streams"));
        assert_eq!(nearest("maxStreams", KNOWN), Some("max_streams"));
    }

    #[test]
    fn a_word_unlike_all_others_finds_nothing() {
        assert_eq!(nearest("timeout", KNOWN), None);
    }
}
