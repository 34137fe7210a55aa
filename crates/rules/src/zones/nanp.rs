//! Area codes of the North American Numbering Plan and the zones their subscribers may live in.
//!
//! The base is libphonenumber's zone data, probed exchange by exchange, corrected where it is wrong: an
//! overlay shares the ground of the code it overlays, so it gets the zones of the whole complex (364 with
//! 270, 448 with 850, 930 with 812, 458 with 541, 986 with 208, 236 257 672 778 with 250 and 604, 367 581
//! with 418, 879 with 709, 474 with 306), 689 is Orlando, and codes the data does not know yet (436, 457,
//! 483, 621, 679, 924) are added.
//!
//! Does not: promise where a person is. Numbers are portable and people move; an area code is a hint.

use chrono_tz::{America, Atlantic, Pacific, Tz};

/// Where one area code belongs.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct AreaCode {
    /// ISO 3166 alpha-2 of the country or territory.
    pub country: &'static str,
    /// Every zone within the code's area.
    pub zones: &'static [Tz],
}

/// Where a code may be that no table knows: a new overlay anywhere on the continent, or a code without
/// geography (toll-free, personal). Alaska and Hawaii are left out: each has one code, far from used up.
pub const CONTINENTAL: &[Tz] = &[
    America::St_Johns,
    America::Halifax,
    America::New_York,
    America::Chicago,
    America::Denver,
    America::Phoenix,
    America::Los_Angeles,
];

/// Finds the entry for a three-digit area code. `None`: not geographic, or not known yet.
pub fn area_code(code: u16) -> Option<AreaCode> {
    let index = *INDEX.get(usize::from(code))?;
    let group = GROUPS.get(usize::from(index))?;
    Some(AreaCode { country: group.country, zones: group.zones })
}

struct Group {
    country: &'static str,
    zones: &'static [Tz],
    codes: &'static [u16],
}

/// Marks codes of [`INDEX`] that belong to no group.
const NO_GROUP: u8 = u8::MAX;

/// The group of each code, so that a lookup is one step.
static INDEX: [u8; 1000] = {
    let mut index = [NO_GROUP; 1000];
    let mut group: u8 = 0;
    while (group as usize) < GROUPS.len() {
        let codes = GROUPS[group as usize].codes;
        let mut position = 0;
        while position < codes.len() {
            let code = codes[position] as usize;
            assert!(index[code] == NO_GROUP, "an area code is listed twice");
            index[code] = group;
            position += 1;
        }
        group += 1;
    }
    index
};

const GROUPS: &[Group] = &[
    Group {
        country: "US",
        zones: &[America::New_York],
        codes: &[
            201, 202, 203, 207, 212, 215, 216, 220, 223, 227, 229, 231, 234, 239, 240, 248, 252, 260, 267,
            269, 272, 276, 283, 301, 302, 304, 305, 313, 315, 317, 321, 324, 326, 329, 330, 332, 336, 339,
            347, 351, 352, 363, 380, 386, 401, 404, 407, 410, 412, 413, 419, 434, 436, 440, 443, 445, 463,
            470, 472, 475, 478, 484, 502, 508, 513, 516, 517, 518, 540, 551, 561, 567, 570, 571, 582, 585,
            586, 603, 607, 609, 610, 614, 616, 617, 631, 640, 645, 646, 656, 667, 678, 679, 680, 681, 686,
            689, 703, 704, 706, 716, 717, 718, 724, 727, 728, 732, 734, 740, 743, 754, 757, 762, 765, 770,
            771, 772, 774, 781, 786, 802, 803, 804, 810, 813, 814, 821, 826, 828, 835, 838, 839, 843, 845,
            848, 854, 856, 857, 859, 860, 862, 863, 864, 865, 878, 904, 908, 910, 912, 914, 917, 919, 929,
            934, 937, 941, 943, 947, 948, 954, 959, 973, 978, 980, 984, 989,
        ],
    },
    Group {
        country: "US",
        zones: &[America::Chicago],
        codes: &[
            205, 210, 214, 217, 218, 224, 225, 228, 235, 251, 254, 256, 262, 274, 281, 309, 312, 314, 316,
            318, 319, 320, 325, 327, 331, 334, 337, 346, 353, 361, 402, 405, 409, 414, 417, 430, 432, 447,
            457, 464, 469, 479, 483, 501, 504, 507, 512, 515, 531, 534, 539, 557, 563, 572, 573, 580, 601,
            608, 612, 615, 618, 621, 629, 630, 636, 641, 651, 659, 660, 662, 682, 708, 712, 713, 715, 726,
            730, 731, 737, 763, 769, 773, 779, 806, 815, 816, 817, 830, 832, 847, 870, 872, 901, 903, 913,
            918, 920, 924, 931, 936, 938, 940, 945, 952, 956, 972, 975, 979, 985,
        ],
    },
    Group {
        country: "US",
        zones: &[America::Denver],
        codes: &[303, 307, 385, 406, 435, 505, 575, 719, 720, 748, 801, 915, 970, 983],
    },
    Group { country: "US", zones: &[America::Phoenix], codes: &[480, 520, 602, 623] },
    Group {
        country: "US",
        zones: &[America::Los_Angeles],
        codes: &[
            206, 209, 213, 253, 279, 310, 323, 341, 350, 360, 369, 408, 415, 424, 425, 442, 503, 509, 510,
            530, 559, 562, 564, 619, 626, 628, 650, 657, 661, 669, 702, 707, 714, 725, 738, 747, 760, 805,
            818, 820, 831, 840, 858, 909, 916, 925, 949, 951, 971,
        ],
    },
    Group { country: "US", zones: &[Pacific::Honolulu], codes: &[808] },
    Group {
        country: "US",
        zones: &[America::Chicago, America::New_York],
        codes: &[219, 270, 364, 423, 448, 574, 606, 812, 850, 906, 930],
    },
    Group { country: "US", zones: &[America::Chicago, America::Denver], codes: &[308, 620, 785] },
    Group {
        country: "US",
        zones: &[America::Boise, America::Denver, America::Los_Angeles],
        codes: &[208, 775, 986],
    },
    Group {
        country: "US",
        zones: &[America::Chicago, America::Denver, America::North_Dakota::Center],
        codes: &[605, 701],
    },
    Group { country: "US", zones: &[America::Denver, America::Los_Angeles], codes: &[458, 541] },
    Group {
        country: "US",
        zones: &[America::Adak, America::Anchorage, America::Juneau, Pacific::Honolulu],
        codes: &[907],
    },
    Group { country: "US", zones: &[America::Denver, America::Phoenix], codes: &[928] },
    Group {
        country: "CA",
        zones: &[America::Toronto],
        codes: &[
            226, 249, 263, 273, 289, 343, 354, 365, 382, 416, 437, 438, 450, 468, 514, 519, 548, 579, 613,
            647, 683, 705, 742, 753, 819, 873, 905, 942,
        ],
    },
    Group { country: "CA", zones: &[America::Vancouver], codes: &[604] },
    Group { country: "CA", zones: &[America::Edmonton], codes: &[368, 403, 587, 780, 825] },
    Group { country: "CA", zones: &[America::Winnipeg], codes: &[204, 431, 584] },
    Group { country: "CA", zones: &[America::Halifax], codes: &[428, 506, 782, 902] },
    Group { country: "CA", zones: &[America::Regina], codes: &[306, 639] },
    Group {
        country: "CA",
        zones: &[America::Edmonton, America::Vancouver],
        codes: &[236, 250, 257, 672, 778],
    },
    Group { country: "CA", zones: &[America::Halifax, America::Toronto], codes: &[367, 418, 581] },
    Group { country: "CA", zones: &[America::Halifax, America::St_Johns], codes: &[709, 879] },
    Group { country: "CA", zones: &[America::Toronto, America::Winnipeg], codes: &[807] },
    Group {
        country: "CA",
        zones: &[
            America::Edmonton,
            America::Fort_Nelson,
            America::Toronto,
            America::Vancouver,
            America::Winnipeg,
        ],
        codes: &[867],
    },
    Group { country: "CA", zones: &[America::Regina, America::Winnipeg], codes: &[474] },
    Group { country: "AG", zones: &[America::Antigua], codes: &[268] },
    Group { country: "AI", zones: &[America::Anguilla], codes: &[264] },
    Group { country: "AS", zones: &[Pacific::Pago_Pago], codes: &[684] },
    Group { country: "BB", zones: &[America::Barbados], codes: &[246] },
    Group { country: "BM", zones: &[Atlantic::Bermuda], codes: &[441] },
    Group { country: "BS", zones: &[America::Nassau], codes: &[242] },
    Group { country: "DM", zones: &[America::Dominica], codes: &[767] },
    Group { country: "DO", zones: &[America::Santo_Domingo], codes: &[809, 829, 849] },
    Group { country: "GD", zones: &[America::Grenada], codes: &[473] },
    Group { country: "GU", zones: &[Pacific::Guam], codes: &[671] },
    Group { country: "JM", zones: &[America::Jamaica], codes: &[658, 876] },
    Group { country: "KN", zones: &[America::St_Kitts], codes: &[869] },
    Group { country: "KY", zones: &[America::Cayman], codes: &[345] },
    Group { country: "LC", zones: &[America::St_Lucia], codes: &[758] },
    Group { country: "MP", zones: &[Pacific::Saipan], codes: &[670] },
    Group { country: "MS", zones: &[America::Montserrat], codes: &[664] },
    Group { country: "PR", zones: &[America::Puerto_Rico], codes: &[787, 939] },
    Group { country: "SX", zones: &[America::Lower_Princes], codes: &[721] },
    Group { country: "TC", zones: &[America::Grand_Turk], codes: &[649] },
    Group { country: "TT", zones: &[America::Port_of_Spain], codes: &[868] },
    Group { country: "VC", zones: &[America::St_Vincent], codes: &[784] },
    Group { country: "VG", zones: &[America::Tortola], codes: &[284] },
    Group { country: "VI", zones: &[America::St_Thomas], codes: &[340] },
];
