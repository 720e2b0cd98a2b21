//! Forms with files in them, as browsers send them (RFC 7578).

use flock_core::Picture;

/// A form in the making.
#[derive(Debug)]
pub(crate) struct Form {
    boundary: String,
    body: Vec<u8>,
}

/// A field of a form.
#[derive(Debug)]
pub(crate) struct Part<'a> {
    head: String,
    bytes: &'a [u8],
}

impl Form {
    /// An empty form. `name` is in what separates its fields, so that nothing else is likely to be equal to it.
    pub(crate) fn new(name: &str) -> Self {
        let name: String = name.chars().filter(char::is_ascii_alphanumeric).collect();
        Self { boundary: format!("flockwork-{name}"), body: Vec::new() }
    }

    /// Adds a field.
    pub(crate) fn add(&mut self, Part { head, bytes }: Part<'_>) {
        let head = format!("--{}\r\nContent-Disposition: form-data; {head}\r\n\r\n", self.boundary);
        self.body.extend_from_slice(head.as_bytes());
        self.body.extend_from_slice(bytes);
        self.body.extend_from_slice(b"\r\n");
    }

    /// Its content type and body.
    pub(crate) fn finish(self) -> (String, Vec<u8>) {
        let Self { boundary, mut body } = self;
        body.extend_from_slice(format!("--{boundary}--\r\n").as_bytes());
        (format!("multipart/form-data; boundary={boundary}"), body)
    }
}

impl<'a> Part<'a> {
    /// A text.
    pub(crate) fn text(name: &str, text: &'a str) -> Self {
        Self { head: format!("name=\"{name}\""), bytes: text.as_bytes() }
    }

    /// A picture. The type is needed, and a file name is how it is told to be a file.
    pub(crate) fn picture(name: &str, picture: &'a Picture) -> Self {
        let mime = picture.kind().mime();
        let extension = mime.split('/').next_back().unwrap_or_default();
        let head =
            format!("name=\"{name}\"; filename=\"picture.{extension}\"\r\nContent-Type: {mime}");
        Self { head, bytes: picture.bytes() }
    }
}
