//! jemalloc's size classes, by arithmetic.
//!
//! Multiples of 16 up to 128 (and 8), then four classes per doubling. Source: jemalloc's manual, "Size classes".

/// The bytes that an allocation of `size` bytes with alignment `align` really takes.
#[inline]
pub const fn size_class(size: usize, align: usize) -> usize {
    if align > 16 {
        return class((size + align - 1) & !(align - 1));
    }
    class(size)
}

#[inline]
const fn class(size: usize) -> usize {
    if size <= 8 {
        return 8;
    }
    if size <= 128 {
        return (size + 15) & !15;
    }
    let step = 1usize << ((size - 1).ilog2() - 2);
    (size + step - 1) & !(step - 1)
}

#[cfg(test)]
mod tests {
    use super::size_class;

    #[test]
    fn classes_are_jemallocs() {
        let cases = [
            (1, 8),
            (8, 8),
            (9, 16),
            (16, 16),
            (17, 32),
            (33, 48),
            (128, 128),
            (129, 160),
            (160, 160),
            (161, 192),
            (257, 320),
            (320, 320),
            (1025, 1280),
            (2049, 2560),
            (4096, 4096),
            (4097, 5120),
            (16385, 20480),
        ];
        for (size, class) in cases {
            assert_eq!(size_class(size, 8), class, "size {size}");
        }
        assert_eq!(size_class(100, 64), 128);
    }
}
