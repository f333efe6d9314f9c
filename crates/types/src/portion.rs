//! How much of a big value is read at a time.

/// About so much of a pinned value: reading ends with the element that uses it up.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Portion {
    /// Elements: members, fields.
    pub elements: usize,
    /// Bytes of their texts.
    pub bytes: usize,
}

impl Portion {
    /// So many elements, however long they are.
    pub const fn of_elements(elements: usize) -> Portion {
        Portion { elements, bytes: usize::MAX }
    }

    /// Whether it is used up.
    #[inline]
    pub(crate) fn is_used_up(&self) -> bool {
        self.elements == 0 || self.bytes == 0
    }

    /// Uses some of it for an element.
    #[inline]
    pub(crate) fn use_for(&mut self, bytes: usize) {
        self.elements = self.elements.saturating_sub(1);
        self.bytes = self.bytes.saturating_sub(bytes);
    }
}
