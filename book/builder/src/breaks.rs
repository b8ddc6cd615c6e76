//! Where a long name in a table may break: where its words end. Elsewhere a line has room for it.

/// After these letters.
const ENDS: [char; 4] = ['_', '.', '/', '='];

/// The page with `<wbr>` in the code of its tables' cells.
pub fn in_tables(page: &str) -> String {
    within(page, "<td", "</td>", &|cell| within(cell, "<code>", "</code>", &with_breaks))
}

/// Changes each part between these two, which are kept.
fn within(text: &str, begin: &str, end: &str, change: &dyn Fn(&str) -> String) -> String {
    let (mut changed, mut rest) = (String::new(), text);
    while let Some((before, after)) = rest.split_once(begin)
        && let Some((inner, after)) = after.split_once(end)
    {
        changed += &[before, begin, &change(inner), end].concat();
        rest = after;
    }
    changed + rest
}

/// Not at the end of the whole, where the line may break anyway.
fn with_breaks(code: &str) -> String {
    let mut letters = code.chars().peekable();
    let mut text = String::new();
    while let Some(letter) = letters.next() {
        text.push(letter);
        if ENDS.contains(&letter) && letters.peek().is_some_and(|next| next.is_alphanumeric()) {
            text.push_str("<wbr>");
        }
    }
    text
}

#[cfg(test)]
mod tests {
    #[test]
    fn names_in_cells_break_where_their_words_end() {
        let page =
            "<p><code>a.b</code></p><td><code>a.b_c=1</code>.d <code>e/</code></td><td class=\"x\">f</td><td";
        let expected = "<p><code>a.b</code></p><td><code>a.<wbr>b_<wbr>c=<wbr>1</code>.d <code>e/</code></td><td class=\"x\">f</td><td";
        assert_eq!(super::in_tables(page), expected);
    }
}
