package model

import (
	"fmt"
	"go/token"
	"strings"
	"unicode"
)

// initialisms are the words that Go spells in capitals.
var initialisms = wordSet(`acl api ascii cpu css dns eof guid html http https id
	ip json jwt lhs qps ram rhs rpc sku sla smtp sql ssh tcp tls ttl udp ui uid
	uri url utf8 uuid vat vm xml xmpp xsrf xss`)

func wordSet(words string) map[string]bool {
	set := map[string]bool{}
	for _, w := range strings.Fields(words) {
		set[w] = true
	}
	return set
}

// symbols are what signs are called in a name that has nothing else.
var symbols = map[rune]string{
	'+': "Plus", '-': "Minus", '*': "Star", '/': "Slash", '\\': "Backslash",
	'=': "Equal", '<': "Less", '>': "Greater", '!': "Not", '?': "Question",
	'&': "And", '|': "Or", '^': "Caret", '~': "Tilde", '%': "Percent",
	'#': "Hash", '@': "At", '$': "Dollar", '.': "Dot", ',': "Comma",
	':': "Colon", ';': "Semicolon", '_': "Underscore", ' ': "Space",
	'(': "Open", ')': "Close", '[': "OpenBracket", ']': "CloseBracket",
	'{': "OpenBrace", '}': "CloseBrace", '"': "Quote", '\'': "Apostrophe",
	'`': "Backquote",
}

// exported is the exported Go name for text: its words, each with a capital,
// initialisms in capitals. "order_id" gives OrderID. Text without any letter or
// digit is spelled out: "+" gives Plus. Never empty.
func exported(text string) string {
	var b strings.Builder
	for _, w := range words(text) {
		b.WriteString(capital(w, isScreaming(text)))
	}
	if b.Len() == 0 {
		spellOut(&b, text)
	}
	return startUpper(b.String())
}

// distinct is exported for text whose name another text has, too: what exported
// leaves out is spelled out. "a-b" gives AMinusB, "a_b" gives AUnderscoreB.
func distinct(text string) string {
	var b strings.Builder
	word := strings.Builder{}
	flush := func() {
		for _, w := range words(word.String()) {
			b.WriteString(capital(w, isScreaming(text)))
		}
		word.Reset()
	}
	for _, r := range text {
		if isWordRune(r) {
			word.WriteRune(r)
			continue
		}
		flush()
		spellOut(&b, string(r))
	}
	flush()
	if b.Len() == 0 {
		return "Empty"
	}
	return startUpper(b.String())
}

func spellOut(b *strings.Builder, text string) {
	if text == "" {
		b.WriteString("Empty")
	}
	for _, r := range text {
		switch name, known := symbols[r]; {
		case known:
			b.WriteString(name)
		case isWordRune(r):
			b.WriteRune(r)
		default:
			fmt.Fprintf(b, "U%04X", r)
		}
	}
}

// startUpper puts an X before a name that does not begin with a capital letter.
func startUpper(name string) string {
	if !token.IsExported(name) || !token.IsIdentifier(name) {
		return "X" + name
	}
	return name
}

func isWordRune(r rune) bool {
	return r != unicode.ReplacementChar && (unicode.IsLetter(r) || unicode.IsDigit(r))
}

// words splits text at everything that is no letter or digit, and where a
// capital begins a word: orderID, HTTPServer, order_id.
func words(text string) []string {
	var list []string
	runes := []rune(text)
	start := -1
	cut := func(end int) {
		if start >= 0 && end > start {
			list = append(list, string(runes[start:end]))
		}
		start = -1
	}
	for i, r := range runes {
		switch {
		case !isWordRune(r):
			cut(i)
		case start < 0:
			start = i
		case beginsWord(runes, i):
			cut(i)
			start = i
		}
	}
	cut(len(runes))
	return list
}

// beginsWord holds for the capital in "rI" and for the S in "PSe", but not in
// the plural of an initialism, "IDs".
func beginsWord(runes []rune, i int) bool {
	if !unicode.IsUpper(runes[i]) {
		return false
	}
	if !unicode.IsUpper(runes[i-1]) {
		return true
	}
	if i+1 >= len(runes) || !unicode.IsLower(runes[i+1]) {
		return false
	}
	plural := runes[i+1] == 's' && (i+2 == len(runes) || !unicode.IsLower(runes[i+2]))
	return !plural
}

// capital spells one word of a name. In screaming text capitals mean nothing.
func capital(word string, screaming bool) string {
	lower := strings.ToLower(word)
	if initialisms[lower] {
		return strings.ToUpper(word)
	}
	if stem, plural := strings.CutSuffix(lower, "s"); plural && initialisms[stem] {
		return strings.ToUpper(stem) + "s"
	}
	if screaming {
		return title(lower)
	}
	return title(word)
}

// isScreaming tells NOT_FOUND and PENDING from notFound and from codes like EUR.
func isScreaming(text string) bool {
	return text == strings.ToUpper(text) && (len(text) > 4 || len(words(text)) > 1)
}

func title(word string) string {
	runes := []rune(word)
	runes[0] = unicode.ToUpper(runes[0])
	return string(runes)
}

// singular is the name of one item of what plural names: Lines gives Line. A
// name that is no plural by its look gets the word Item.
func singular(plural string) string {
	switch {
	case strings.HasSuffix(plural, "ies") && len(plural) > 4:
		return strings.TrimSuffix(plural, "ies") + "y"
	case strings.HasSuffix(plural, "ss"), strings.HasSuffix(plural, "us"), strings.HasSuffix(plural, "is"):
		return plural + "Item"
	case strings.HasSuffix(plural, "xes"), strings.HasSuffix(plural, "sses"), strings.HasSuffix(plural, "ches"), strings.HasSuffix(plural, "shes"):
		return strings.TrimSuffix(plural, "es")
	case strings.HasSuffix(plural, "s") && len(plural) > 2:
		return strings.TrimSuffix(plural, "s")
	}
	return plural + "Item"
}
