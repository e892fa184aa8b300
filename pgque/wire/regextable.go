package wire

import (
	"strings"
	"sync"
)

// lazyWords reads a set of words when it is first needed.
func lazyWords(text string) func() map[string]bool {
	return sync.OnceValue(func() map[string]bool {
		words := make(map[string]bool)
		for word := range strings.FieldsSeq(text) {
			words[word] = true
		}
		return words
	})
}

// binaryProperties are those of ECMA-262 table "Binary Unicode property aliases",
// with their short names.
var binaryProperties = lazyWords(`
ASCII ASCII_Hex_Digit AHex Alphabetic Alpha Any Assigned Bidi_Control Bidi_C
Bidi_Mirrored Bidi_M Case_Ignorable CI Cased Changes_When_Casefolded CWCF
Changes_When_Casemapped CWCM Changes_When_Lowercased CWL
Changes_When_NFKC_Casefolded CWKCF Changes_When_Titlecased CWT
Changes_When_Uppercased CWU Dash Default_Ignorable_Code_Point DI Deprecated Dep
Diacritic Dia Emoji Emoji_Component EComp Emoji_Modifier EMod
Emoji_Modifier_Base EBase Emoji_Presentation EPres Extended_Pictographic ExtPict
Extender Ext Grapheme_Base Gr_Base Grapheme_Extend Gr_Ext Hex_Digit Hex
IDS_Binary_Operator IDSB IDS_Trinary_Operator IDST ID_Continue IDC ID_Start IDS
Ideographic Ideo Join_Control Join_C Logical_Order_Exception LOE Lowercase Lower
Math Noncharacter_Code_Point NChar Pattern_Syntax Pat_Syn Pattern_White_Space
Pat_WS Quotation_Mark QMark Radical Regional_Indicator RI Sentence_Terminal STerm
Soft_Dotted SD Terminal_Punctuation Term Unified_Ideograph UIdeo Uppercase Upper
Variation_Selector VS White_Space space XID_Continue XIDC XID_Start XIDS`)

// scriptAliases are the short names of the scripts of Unicode 15.0, and the long
// names that package unicode does not have.
var scriptAliases = lazyWords(`
Adlm Aghb Ahom Arab Armi Armn Avst Bali Bamu Bass Batk Beng Bhks Bopo Brah Brai
Bugi Buhd Cakm Cans Cari Cham Cher Chrs Copt Qaac Cpmn Cprt Cyrl Deva Diak Dogr
Dsrt Dupl Egyp Elba Elym Ethi Geor Glag Gong Gonm Goth Gran Grek Gujr Guru Hang
Hani Hano Hatr Hebr Hira Hluw Hmng Hmnp Hrkt Katakana_Or_Hiragana Hung Ital Java
Kali Kana Kawi Khar Khmr Khoj Kits Knda Kthi Lana Laoo Latn Lepc Limb Lina Linb
Lisu Lyci Lydi Mahj Maka Mand Mani Marc Medf Mend Merc Mero Mlym Modi Mong Mroo
Mtei Mult Mymr Nagm Nand Narb Nbat Newa Nkoo Nshu Ogam Olck Orkh Orya Osge Osma
Ougr Palm Pauc Perm Phag Phli Phlp Phnx Plrd Prti Rjng Rohg Runr Samr Sarb Saur
Sgnw Shaw Shrd Sidd Sind Sinh Sogd Sogo Sora Soyo Sund Sylo Syrc Tagb Takr Tale
Talu Taml Tang Tavt Telu Tfng Tglg Thaa Thai Tibt Tirh Tnsa Toto Ugar Vaii Vith
Wara Wcho Xpeo Xsux Yezi Yiii Zanb Zinh Qaai Zyyy Zzzz Unknown`)
