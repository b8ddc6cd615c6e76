//! A small writer of SVG. Numbers are whole, so that the same state is the same text everywhere.

use std::fmt::Write;

/// The width of every drawing: what a narrow screen shows without a letter becoming too small.
pub const WIDTH: u32 = 360;

/// A drawing that grows downwards.
#[derive(Default)]
pub struct Drawing {
    body: String,
}

impl Drawing {
    /// A line of text, its left end and baseline given.
    pub fn text(&mut self, x: u32, y: u32, class: &str, text: &str) {
        self.put(format_args!("<text x=\"{x}\" y=\"{y}\" class=\"{class}\">{}</text>", escaped(text)));
    }

    /// A rectangle.
    pub fn rectangle(&mut self, x: u32, y: u32, width: u32, height: u32, class: &str) {
        self.put(format_args!(
            "<rect x=\"{x}\" y=\"{y}\" width=\"{width}\" height=\"{height}\" rx=\"3\" class=\"{class}\"/>"
        ));
    }

    /// A line.
    pub fn line(&mut self, from: (u32, u32), to: (u32, u32), class: &str) {
        let ((x1, y1), (x2, y2)) = (from, to);
        self.put(format_args!("<path d=\"M{x1} {y1}L{x2} {y2}\" class=\"{class}\"/>"));
    }

    /// The head of an arrow that points left or right, its tip given.
    pub fn head(&mut self, x: u32, y: u32, is_right: bool, class: &str) {
        let back = if is_right { x - 6 } else { x + 6 };
        self.put(format_args!("<path d=\"M{back} {}L{x} {y}L{back} {}\" class=\"{class}\"/>", y - 4, y + 4));
    }

    /// Begins what a pointer can choose; the same is among the controls.
    pub fn begin_choice(&mut self, event: &str) {
        self.put(format_args!("<g data-event=\"{event}\">"));
    }

    /// Ends it.
    pub fn end_choice(&mut self) {
        self.put(format_args!("</g>"));
    }

    fn put(&mut self, text: std::fmt::Arguments<'_>) {
        let _ = self.body.write_fmt(text);
        self.body.push('\n');
    }

    /// The whole, with its name for those who do not see it.
    pub fn finish(self, name: &str, title: &str, height: u32) -> String {
        format!(
            "<svg xmlns=\"http://www.w3.org/2000/svg\" viewBox=\"0 0 {WIDTH} {height}\" role=\"img\" aria-label=\"{}\" \
             aria-describedby=\"{name}-words\">\n{}</svg>",
            escaped(title),
            self.body
        )
    }
}

/// Text as HTML and SVG want it.
pub fn escaped(text: &str) -> String {
    let mut safe = String::new();
    for character in text.chars() {
        match character {
            '&' => safe.push_str("&amp;"),
            '<' => safe.push_str("&lt;"),
            '>' => safe.push_str("&gt;"),
            '"' => safe.push_str("&quot;"),
            other => safe.push(other),
        }
    }
    safe
}
