//! Registers as bytes, and bytes as registers.

use std::arch::x86_64::{__m128i, __m256i, __m512i};

/// The same bytes as a register, or a register as bytes.
macro_rules! same_bytes {
    ($($name:ident: $from:ty => $to:ty;)+) => {
        $(
            #[expect(unsafe_code, reason = "the standard library has no safe way, see the argument beside it")]
            #[inline(always)]
            pub(super) fn $name(from: $from) -> $to {
                // SAFETY: both are as many plain bytes without padding (the compiler compares their sizes), and any bytes
                // are a value of either.
                unsafe { std::mem::transmute::<$from, $to>(from) }
            }
        )+
    };
}

same_bytes! {
    register128: [u8; 16] => __m128i;
    register256: [u8; 32] => __m256i;
    bytes256: __m256i => [u8; 32];
    words256: __m256i => [i16; 16];
    register_of_words256: [i16; 16] => __m256i;
    register_of_bits256: [u64; 4] => __m256i;
    register512: [u8; 64] => __m512i;
    bytes512: __m512i => [u8; 64];
    words512: __m512i => [i16; 32];
    register_of_words512: [i16; 32] => __m512i;
    register_of_bits512: [u64; 8] => __m512i;
}
