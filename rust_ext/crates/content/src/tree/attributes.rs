//! What an element's attributes say.

/// What an element's attributes say.
pub(super) struct Said {
    pub sem: u64,
    /// Number of the class.
    pub class: u32,
    pub role: Role,
    /// A `template` that is the shadow tree of the element around it.
    pub is_shadow_root: bool,
}

/// What an element's class says beside what it is called.
#[derive(Clone, Copy, PartialEq, Eq, Default)]
pub(super) enum Role {
    #[default]
    None,
    /// A formula as MathJax draws it; its source stands behind it or inside.
    Drawn,
    /// The drawn copy of a formula that stands before it (KaTeX).
    Copy,
    /// Line numbers beside code, if there are only numbers inside.
    Gutter,
}

/// The role of a class attribute.
pub(super) fn role(class: &str) -> Role {
    // Every name below has one of these letters' pairs; most classes have none.
    let mut role = Role::None;
    for name in class.split_ascii_whitespace().take(16) {
        role = match name {
            "katex-html" => Role::Copy,
            "MathJax"
            | "MathJax_Display"
            | "MathJax_SVG"
            | "MathJax_SVG_Display"
            | "MathJax_CHTML"
            | "MathJax_MathML"
            | "MathJax_Preview"
            | "mjx-chtml"
            | "MJXc-display" => Role::Drawn,
            "lineno"
            | "linenos"
            | "linenodiv"
            | "line-number"
            | "line-numbers"
            | "line_numbers"
            | "linenumber"
            | "linenumbers"
            | "line-num"
            | "lineNumber"
            | "lineNumbers"
            | "LineNr"
            | "ln"
            | "lnt"
            | "gutter"
            | "gl"
            | "blob-num"
            | "hljs-ln-numbers"
            | "hljs-ln-n"
            | "rouge-gutter"
            | "crayon-nums"
            | "crayon-num"
            | "code-line-number"
            | "react-syntax-highlighter-line-number"
            | "linenr"
            | "lntd"
            | "line-numbers-rows" => Role::Gutter,
            _ => continue,
        };
        if role != Role::None {
            break;
        }
    }
    role
}
