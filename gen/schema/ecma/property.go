package ecma

import (
	"regexp/syntax"
	"strings"
	"unicode"
)

// property reads {…} behind \p or \P.
func (p *parser) property(start int, negated bool) (*node, error) {
	inner, _, closed := strings.Cut(p.src[p.off:], "}")
	if !closed || !strings.HasPrefix(inner, "{") {
		return nil, p.errorf(start, "has a malformed property: want \\p{…}")
	}
	p.off += len(inner) + 1
	set, name := lookup(inner[1:])
	if set == nil {
		return nil, p.errorf(start, "names the property %q, which cannot be translated", inner[1:])
	}
	if negated {
		set, name = set.complement(), strings.Replace(name, `\p`, `\P`, 1)
	}
	return &node{set: set, name: name}, nil
}

// lookup returns the set of a property, and what Go's regexp calls it if it has
// the same set.
func lookup(property string) (runes, string) {
	key, value, hasValue := strings.Cut(property, "=")
	switch {
	case !hasValue:
		if set, name := category(property); set != nil {
			return set, name
		}
		return binaryProperty(property), ""
	case key == "General_Category" || key == "gc":
		return category(value)
	case key == "Script" || key == "sc":
		if t := unicode.Scripts[value]; t != nil {
			return tables(t), scriptName(value)
		}
	}
	return nil, ""
}

// scriptName is what Go's regexp calls a script, or "" where it wants another
// spelling.
func scriptName(script string) string {
	name := `\p{` + script + `}`
	if _, err := syntax.Parse(name, syntax.Perl); err != nil {
		return ""
	}
	return name
}

// category looks up a general category by its short or long name.
func category(value string) (runes, string) {
	short := value
	if alias, ok := unicode.CategoryAliases[value]; ok {
		short = alias
	}
	switch short {
	case "C": // surrogates and unassigned code points included
		var rest []*unicode.RangeTable
		for _, c := range []string{"L", "M", "N", "P", "S", "Z"} {
			rest = append(rest, unicode.Categories[c])
		}
		return tables(rest...).complement(), ""
	case "Cs":
		return runes{}, ""
	}
	if t := unicode.Categories[short]; t != nil {
		return tables(t), `\p{` + short + `}`
	}
	return nil, ""
}

// binaryProperty looks up a property that characters have or lack.
func binaryProperty(name string) runes {
	if long, ok := binaryAliases[name]; ok {
		name = long
	}
	c, p := unicode.Categories, unicode.Properties
	switch name {
	case "Any":
		return newRunes(0, maxRune)
	case "ASCII":
		return newRunes(0, 0x7F)
	case "Assigned":
		return tables(c["Cn"]).complement()
	case "Alphabetic":
		return tables(c["Lu"], c["Ll"], c["Lt"], c["Lm"], c["Lo"], c["Nl"], p["Other_Alphabetic"])
	case "Lowercase":
		return tables(c["Ll"], p["Other_Lowercase"])
	case "Uppercase":
		return tables(c["Lu"], p["Other_Uppercase"])
	case "Math":
		return tables(c["Sm"], p["Other_Math"])
	case "ID_Start":
		return identifier(c["L"], c["Nl"], p["Other_ID_Start"])
	case "ID_Continue":
		return identifier(c["L"], c["Nl"], p["Other_ID_Start"], c["Mn"], c["Mc"], c["Nd"], c["Pc"], p["Other_ID_Continue"])
	}
	if t := p[name]; t != nil && ownProperties[name] {
		return tables(t)
	}
	return nil
}

// identifier is the union of the tables without the characters of patterns
// (UAX 31, section 2).
func identifier(list ...*unicode.RangeTable) runes {
	not := append(tables(list...).complement(), tables(unicode.Pattern_Syntax, unicode.Pattern_White_Space)...)
	return newRunes(not...).complement()
}

func tables(list ...*unicode.RangeTable) runes {
	var pairs []rune
	for _, t := range list {
		for _, r := range t.R16 {
			pairs = appendSpan(pairs, rune(r.Lo), rune(r.Hi), rune(r.Stride))
		}
		for _, r := range t.R32 {
			pairs = appendSpan(pairs, rune(r.Lo), rune(r.Hi), rune(r.Stride))
		}
	}
	return newRunes(pairs...)
}

func appendSpan(pairs []rune, lo, hi, stride rune) []rune {
	if stride == 1 {
		return append(pairs, lo, hi)
	}
	for c := lo; c <= hi; c += stride {
		pairs = append(pairs, c, c)
	}
	return pairs
}

var binaryAliases = map[string]string{
	"Alpha": "Alphabetic", "Lower": "Lowercase", "Upper": "Uppercase", "space": "White_Space",
	"AHex": "ASCII_Hex_Digit", "Hex": "Hex_Digit", "IDS": "ID_Start", "IDC": "ID_Continue",
	"Bidi_C": "Bidi_Control", "Dep": "Deprecated", "Dia": "Diacritic", "Ext": "Extender",
	"Ideo": "Ideographic", "Join_C": "Join_Control", "NChar": "Noncharacter_Code_Point",
	"Pat_Syn": "Pattern_Syntax", "Pat_WS": "Pattern_White_Space", "QMark": "Quotation_Mark",
	"RI": "Regional_Indicator", "STerm": "Sentence_Terminal", "SD": "Soft_Dotted",
	"Term": "Terminal_Punctuation", "UIdeo": "Unified_Ideograph", "VS": "Variation_Selector",
	"LOE": "Logical_Order_Exception", "IDSB": "IDS_Binary_Operator", "IDST": "IDS_Trinary_Operator",
}

// ownProperties are those of ECMA-262's table 67 that Go has tables of.
var ownProperties = map[string]bool{
	"White_Space": true, "ASCII_Hex_Digit": true, "Hex_Digit": true, "Bidi_Control": true, "Dash": true,
	"Deprecated": true, "Diacritic": true, "Extender": true, "Ideographic": true, "Join_Control": true,
	"Logical_Order_Exception": true, "Noncharacter_Code_Point": true, "Pattern_Syntax": true,
	"Pattern_White_Space": true, "Quotation_Mark": true, "Radical": true, "Regional_Indicator": true,
	"Sentence_Terminal": true, "Soft_Dotted": true, "Terminal_Punctuation": true, "Unified_Ideograph": true,
	"Variation_Selector": true, "IDS_Binary_Operator": true, "IDS_Trinary_Operator": true,
}
