//! A mentorship: a published match with a life.

/// Days after the publication in which both sides answer.
pub const RESPONSE_DAYS: i64 = 14;

macro_rules! codes {
    ($(#[$doc:meta])* $name:ident { $($(#[$variant_doc:meta])* $variant:ident = $code:literal,)+ }) => {
        $(#[$doc])*
        #[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
        pub enum $name { $($(#[$variant_doc])* $variant,)+ }

        impl $name {
            /// The code as stored.
            pub fn as_str(self) -> &'static str {
                match self { $(Self::$variant => $code,)+ }
            }
        }
    };
}

codes! {
    /// Why a mentorship ended before its time.
    EndReason {
        /// A repair of the round has published other pairs.
        ReplacedByRepair = "replaced_by_repair",
        /// The publication of the round was taken back.
        Unpublished = "unpublished",
        /// One of the two people was erased.
        Erased = "erased",
    }
}
