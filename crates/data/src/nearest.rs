//! The name that was probably meant.

/// Returns the candidate with the fewest edits from `wanted`, ignoring case, if that is at most a third of its letters (two at least).
pub(crate) fn nearest<'a>(wanted: &str, candidates: impl IntoIterator<Item = &'a str>) -> Option<&'a str> {
    let wanted = wanted.to_lowercase();
    let edits_max = (wanted.chars().count() / 3).max(2);
    candidates
        .into_iter()
        .map(|candidate| (strsim::damerau_levenshtein(&wanted, &candidate.to_lowercase()), candidate))
        .filter(|&(edits, candidate)| edits <= edits_max && edits < candidate.chars().count())
        .min_by_key(|&(edits, _)| edits)
        .map(|(_, candidate)| candidate)
}

/// Returns `; hint: did you mean ...?`, or nothing when no candidate is near.
pub(crate) fn did_you_mean<'a>(wanted: &str, candidates: impl IntoIterator<Item = &'a str>) -> String {
    nearest(wanted, candidates).map_or_else(String::new, |name| format!("; hint: did you mean `{name}`?"))
}

/// Returns names joined by commas, the first thirty and a count of the rest.
pub(crate) fn listed<'a>(names: impl IntoIterator<Item = &'a str>) -> String {
    const SHOWN: usize = 30;
    let names: Vec<&str> = names.into_iter().collect();
    let shown = names[..names.len().min(SHOWN)].join(", ");
    if names.len() > SHOWN { format!("{shown} and {} more", names.len() - SHOWN) } else { shown }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_swapped_pair_of_letters_is_found() {
        assert_eq!(nearest("close", ["time", "clsoe", "volume"]), Some("clsoe"));
    }

    #[test]
    fn a_name_of_other_letters_is_not_offered() {
        assert_eq!(nearest("close", ["bid", "ask", "x"]), None);
    }

    #[test]
    fn a_long_list_is_cut() {
        let names: Vec<String> = (0..32).map(|i| i.to_string()).collect();
        assert!(listed(names.iter().map(String::as_str)).ends_with("29 and 2 more"));
    }
}
