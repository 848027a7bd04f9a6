//! Tables of the invented organisations: countries and time zones, languages and commodities of their members.

use crate::domain::name::OrganisationId;
use crate::domain::organisation::OrganisationDraft;

/// An invented organisation.
#[derive(Debug)]
pub(super) struct Home {
    pub(super) id: &'static str,
    pub(super) name: &'static str,
    /// Country of its seat, and prefix of the ids of its members.
    pub(super) seat: &'static str,
    /// Members in an alliance of [`SHARES`] people.
    pub(super) share: u64,
    /// Country and time zone, by weight.
    pub(super) places: &'static [((&'static str, &'static str), u64)],
    /// Native languages, by weight; two joined by `+` belong to one person.
    pub(super) tongues: &'static [(&'static str, u64)],
    /// Learned languages, each with the percentage of members who speak it.
    pub(super) learned: &'static [(&'static str, u64)],
    pub(super) commodities: &'static [&'static str],
}

/// Sum of all shares: the number of people in the sample.
pub(super) const SHARES: u64 = 196;

macro_rules! homes {
    ($($id:literal $name:literal $seat:literal $share:literal,
        [$($country:literal $zone:literal $weight:literal),+],
        [$($tongue:literal $speakers:literal),+], [$($learned:literal $percent:literal),*],
        [$($commodity:literal),+];)+) => {
        /// All organisations, by id.
        pub(super) static HOMES: &[Home] = &[$(Home {
            id: $id,
            name: concat!($name, " (synthetic sample)"),
            seat: $seat,
            share: $share,
            places: &[$((($country, $zone), $weight)),+],
            tongues: &[$(($tongue, $speakers)),+],
            learned: &[$(($learned, $percent)),*],
            commodities: &[$($commodity),+],
        }),+];
    };
}

homes! {
    "wim-angola" "WIM Angola" "AO" 3, ["AO" "Africa/Luanda" 1], ["pt" 1], ["en" 35, "fr" 15],
        ["diamonds", "iron_ore", "copper"];
    "wim-argentina" "WIM Argentina" "AR" 5,
        ["AR" "America/Argentina/Buenos_Aires" 2, "AR" "America/Argentina/San_Juan" 3], ["es" 1], ["en" 60, "pt" 25],
        ["lithium", "copper", "gold", "silver"];
    "wim-australia" "WIM Australia" "AU" 11,
        ["AU" "Australia/Perth" 5, "AU" "Australia/Brisbane" 3, "AU" "Australia/Sydney" 2, "AU" "Australia/Adelaide" 2,
         "AU" "Australia/Darwin" 2],
        ["en" 9, "en+es" 1], ["id" 8, "fr" 6, "es" 6],
        ["iron_ore", "gold", "lithium", "metallurgical_coal", "copper", "uranium"];
    "wim-bolivia" "WIM Bolivia" "BO" 4, ["BO" "America/La_Paz" 1], ["es" 2, "es+qu" 1], ["en" 30],
        ["silver", "tin", "zinc", "lithium"];
    "wim-brasil" "WIM Brasil" "BR" 11,
        ["BR" "America/Sao_Paulo" 6, "BR" "America/Belem" 3, "BR" "America/Manaus" 1], ["pt" 1], ["en" 60, "es" 30],
        ["iron_ore", "gold", "niobium_tantalum", "bauxite", "nickel"];
    "wim-canada" "WIM Canada" "CA" 11,
        ["CA" "America/Toronto" 5, "CA" "America/Vancouver" 3, "CA" "America/St_Johns" 1, "CA" "America/Edmonton" 1],
        ["en" 6, "fr" 3, "en+fr" 1], ["en" 90, "fr" 25, "es" 15],
        ["gold", "nickel", "potash", "copper", "diamonds", "uranium"];
    "wim-central-asia" "WIM Central Asia" "KZ" 6,
        ["KZ" "Asia/Almaty" 3, "KG" "Asia/Bishkek" 2, "UZ" "Asia/Tashkent" 1], ["ru" 3, "kk+ru" 3], ["en" 35],
        ["copper", "gold", "uranium", "chromium"];
    "wim-centroamerica" "WIM Centroamérica" "PA" 3,
        ["GT" "America/Guatemala" 1, "PA" "America/Panama" 1], ["es" 1], ["en" 60], ["copper", "gold", "nickel"];
    "wim-chile" "WIM Chile" "CL" 11, ["CL" "America/Santiago" 1], ["es" 1], ["en" 60, "pt" 10],
        ["copper", "lithium", "molybdenum", "gold"];
    "wim-colombia" "WIM Colombia" "CO" 5,
        ["CO" "America/Bogota" 3, "EC" "America/Guayaquil" 2], ["es" 1], ["en" 50],
        ["gold", "thermal_coal", "nickel", "copper", "gemstones"];
    "wim-deutschland" "WIM Deutschland" "DE" 3, ["DE" "Europe/Berlin" 1], ["de" 1], ["en" 95, "fr" 25],
        ["potash", "salt", "recycled_metals"];
    "wim-france" "WIM France" "FR" 4, ["FR" "Europe/Paris" 1], ["fr" 1], ["en" 80, "es" 30],
        ["recycled_metals", "lithium", "aggregates"];
    "wim-ghana" "WIM Ghana" "GH" 7, ["GH" "Africa/Accra" 1], ["en" 3, "ak+en" 2], ["fr" 25],
        ["gold", "manganese", "bauxite"];
    "wim-guinee" "WIM Guinée" "GN" 4, ["GN" "Africa/Conakry" 1], ["fr" 1], ["en" 35],
        ["bauxite", "iron_ore", "gold"];
    "wim-iberia" "WIM Iberia" "ES" 3, ["ES" "Europe/Madrid" 2, "PT" "Europe/Lisbon" 1], ["es" 1, "pt" 1], ["en" 80, "fr" 25],
        ["copper", "tungsten", "lithium"];
    "wim-india" "WIM India" "IN" 5, ["IN" "Asia/Kolkata" 1], ["hi" 1, "te" 1, "en" 1], ["en" 95],
        ["iron_ore", "bauxite", "thermal_coal", "zinc"];
    "wim-indonesia" "WIM Indonesia" "ID" 6,
        ["ID" "Asia/Jakarta" 3, "ID" "Asia/Makassar" 3, "ID" "Asia/Jayapura" 1], ["id" 1], ["en" 70],
        ["nickel", "thermal_coal", "copper", "tin"];
    "wim-kenya" "WIM Kenya" "KE" 2, ["KE" "Africa/Nairobi" 1], ["sw" 1], ["en" 95],
        ["titanium_mineral_sands", "gold", "gemstones"];
    "wim-maroc" "WIM Maroc" "MA" 3, ["MA" "Africa/Casablanca" 1], ["ar" 1], ["fr" 95, "en" 40],
        ["phosphate", "cobalt", "silver"];
    "wim-mexico" "WIM México" "MX" 7,
        ["MX" "America/Mexico_City" 3, "MX" "America/Hermosillo" 2, "MX" "America/Chihuahua" 1], ["es" 1], ["en" 60],
        ["silver", "gold", "copper", "zinc"];
    "wim-mocambique" "WIM Moçambique" "MZ" 3, ["MZ" "Africa/Maputo" 1], ["pt" 1], ["en" 50],
        ["graphite", "metallurgical_coal", "gemstones"];
    "wim-mongolia" "WIM Mongolia" "MN" 5, ["MN" "Asia/Ulaanbaatar" 1], ["mn" 1], ["en" 70],
        ["copper", "gold", "metallurgical_coal"];
    "wim-nigeria" "WIM Nigeria" "NG" 4, ["NG" "Africa/Lagos" 1], ["en" 2, "ha+en" 1, "yo+en" 1], ["fr" 10],
        ["limestone_cement", "gold", "lithium"];
    "wim-nordics" "WIM Nordics" "SE" 4,
        ["SE" "Europe/Stockholm" 2, "FI" "Europe/Helsinki" 2], ["sv" 1, "fi" 1], ["en" 95],
        ["iron_ore", "copper", "zinc", "nickel"];
    "wim-papua-new-guinea" "WIM Papua New Guinea" "PG" 3, ["PG" "Pacific/Port_Moresby" 1], ["tpi" 1], ["en" 70],
        ["gold", "copper", "nickel"];
    "wim-peru" "WIM Perú" "PE" 14, ["PE" "America/Lima" 1], ["es" 6, "es+qu" 1], ["en" 55, "pt" 8],
        ["copper", "gold", "zinc", "silver", "tin"];
    "wim-philippines" "WIM Philippines" "PH" 3, ["PH" "Asia/Manila" 1], ["fil" 1], ["en" 95],
        ["nickel", "copper", "gold"];
    "wim-polska" "WIM Polska" "PL" 3, ["PL" "Europe/Warsaw" 1], ["pl" 1], ["en" 75, "de" 25],
        ["copper", "silver", "metallurgical_coal"];
    "wim-rdc" "WIM RDC" "CD" 5, ["CD" "Africa/Lubumbashi" 4, "CD" "Africa/Kinshasa" 1], ["fr+sw" 3, "fr+ln" 1], ["en" 35],
        ["copper", "cobalt", "tin", "diamonds"];
    "wim-sahel" "WIM Sahel" "BF" 6,
        ["BF" "Africa/Ouagadougou" 2, "ML" "Africa/Bamako" 2, "SN" "Africa/Dakar" 1, "CI" "Africa/Abidjan" 1],
        ["fr" 2, "bm+fr" 1], ["en" 30],
        ["gold", "phosphate", "manganese", "lithium"];
    "wim-south-africa" "WIM South Africa" "ZA" 8,
        ["ZA" "Africa/Johannesburg" 5, "BW" "Africa/Gaborone" 2, "NA" "Africa/Windhoek" 2],
        ["zu" 2, "en" 2, "af" 1, "tn" 1], ["en" 97],
        ["platinum_group", "gold", "diamonds", "manganese", "chromium", "uranium"];
    "wim-tanzania" "WIM Tanzania" "TZ" 5, ["TZ" "Africa/Dar_es_Salaam" 1], ["sw" 1], ["en" 65],
        ["gold", "gemstones", "graphite", "nickel"];
    "wim-turkiye" "WIM Türkiye" "TR" 3, ["TR" "Europe/Istanbul" 1], ["tr" 1], ["en" 75],
        ["chromium", "gold", "dimension_stone", "industrial_minerals"];
    "wim-uk" "WIM UK" "GB" 5, ["GB" "Europe/London" 1], ["en" 1], ["fr" 30, "es" 15],
        ["tin", "lithium", "potash", "aggregates"];
    "wim-usa" "WIM USA" "US" 6, ["US" "America/Denver" 3, "US" "America/Phoenix" 2, "US" "America/New_York" 1],
        ["en" 4, "en+es" 1], ["es" 20],
        ["copper", "gold", "lithium", "phosphate", "rare_earths"];
    "wim-zambia" "WIM Zambia" "ZM" 5, ["ZM" "Africa/Lusaka" 3, "ZW" "Africa/Harare" 2], ["bem+en" 2, "en" 1, "sn+en" 1], [],
        ["copper", "cobalt", "gemstones", "platinum_group"];
}

/// An invented employer: its key, and its group of competitors, if any.
pub(super) type Employer = (&'static str, &'static str);

/// Invented employers by continent (UN M49), the last three everywhere.
pub(super) fn employers(continent: u16) -> &'static [Employer] {
    match continent {
        2 => &[
            ("baobab-resources", "west-gold"),
            ("harmattan-gold", "west-gold"),
            ("savanna-platinum", "deep-platinum"),
            ("umkhonto-deep", "deep-platinum"),
            ("great-rift-minerals", ""),
            ("katanga-verte", ""),
            ("atlas-phosphate", ""),
            ("granite-peak-consulting", ""),
            ("open-pit-analytics", ""),
            ("aurora-assays", ""),
        ],
        19 => &[
            ("kestrel-copper", "red-metals"),
            ("condor-andino", "red-metals"),
            ("blue-lantern-lithium", "brine-lithium"),
            ("puna-azul", "brine-lithium"),
            ("cerro-quieto", ""),
            ("jacaranda-minerios", ""),
            ("boreal-drilling", ""),
            ("saltmarsh-potash", ""),
            ("rio-claro-niquel", ""),
            ("granite-peak-consulting", ""),
            ("open-pit-analytics", ""),
            ("aurora-assays", ""),
        ],
        9 => &[
            ("spinifex-ore", "outback-ore"),
            ("red-plain-ore", "outback-ore"),
            ("southern-cross-coal", ""),
            ("lyrebird-gold", ""),
            ("granite-peak-consulting", ""),
            ("open-pit-analytics", ""),
            ("aurora-assays", ""),
        ],
        142 => &[
            ("long-steppe-copper", ""),
            ("ulaan-khad", ""),
            ("banyan-ores", ""),
            ("coral-nickel", "island-nickel"),
            ("monsoon-nickel", "island-nickel"),
            ("granite-peak-consulting", ""),
            ("open-pit-analytics", ""),
            ("aurora-assays", ""),
        ],
        _ => &[
            ("northwind-iron", ""),
            ("three-rivers-zinc", ""),
            ("tamarisk-salt", ""),
            ("heather-tin", ""),
            ("granite-peak-consulting", ""),
            ("open-pit-analytics", ""),
            ("aurora-assays", ""),
        ],
    }
}

/// An organisation of an alliance, with its id.
#[derive(Debug, Clone)]
pub struct SampleOrganisation {
    /// Its id.
    pub id: OrganisationId,
    /// Its content.
    pub draft: OrganisationDraft,
}

/// The invented organisations, ordered by id. One matches within itself only, and two exclude each other.
#[expect(clippy::expect_used, reason = "the ids are constants and a test reads them")]
pub(super) fn organisations() -> Vec<SampleOrganisation> {
    let organisation = |home: &Home| SampleOrganisation {
        id: home.id.parse().expect("an id of the table is an id"),
        draft: OrganisationDraft {
            idle_profile_days: 0,
            most_places: [None; 2],
            display_name: home.name.to_owned(),
            country: home.seat.to_owned(),
            same_organisation_only: home.id == "wim-india",
            excluded_organisations: match home.id {
                "wim-ghana" => vec!["organisations/wim-nigeria".to_owned()],
                "wim-nigeria" => vec!["organisations/wim-ghana".to_owned()],
                _ => Vec::new(),
            },
        },
    };
    HOMES.iter().map(organisation).collect()
}
