package model

import (
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"path"
	"strconv"
	"strings"
	"unicode"

	"github.com/pgque/pgque-go/gen/schema"
)

// checkNames gives every check a name of its own, made from its file and its
// place there. Within a file names do not depend on the order of the questions:
// where two places would get one name, both get a suffix made from the place.
type checkNames struct {
	prefix func(*schema.File) string
	files  map[*schema.File]map[string]int // stem → how many places of the file have it
	taken  map[string]bool
}

func newCheckNames(prefix func(*schema.File) string) checkNames {
	return checkNames{prefix, map[*schema.File]map[string]int{}, map[string]bool{}}
}

// of names the check of s; variant tells checks of one schema apart.
func (n *checkNames) of(s *schema.Schema, variant string) string {
	stems, ok := n.files[s.File]
	if !ok {
		stems = countStems(s.File.Root)
		n.files[s.File] = stems
	}
	stem := pointerWords(s.Pointer)
	name := "check" + n.prefix(s.File) + stem
	if stems[stem] > 1 {
		name += checkMark(s.Pointer)
	}
	if variant != "" {
		name += checkMark(variant)
	}
	if n.taken[name] {
		name += checkMark(s.File.Path + "#" + s.Pointer + "#" + variant)
	}
	for base, i := name, 2; n.taken[name]; i++ {
		name = base + "x" + strconv.Itoa(i)
	}
	n.taken[name] = true
	return name
}

// countStems counts the stems of all schemas of the file that holds root.
func countStems(root *schema.Schema) map[string]int {
	stems := map[string]int{}
	seen := map[*schema.Schema]bool{root: true}
	open := []*schema.Schema{root}
	visit := func(s *schema.Schema) {
		if s.File == root.File && !seen[s] {
			seen[s] = true
			open = append(open, s)
		}
	}
	for len(open) > 0 {
		s := open[len(open)-1]
		open = open[:len(open)-1]
		stems[pointerWords(s.Pointer)]++
		subschemas(s, visit)
		for _, d := range s.Defs {
			visit(d.Schema)
		}
	}
	return stems
}

// checkMark is a short suffix that stands for a text.
func checkMark(text string) string {
	sum := sha256.Sum256([]byte(text))
	return "X" + hex.EncodeToString(sum[:4])
}

// checkPrefix is made from the file's path without its extensions.
func checkPrefix(f *schema.File) string {
	name := strings.TrimSuffix(f.Path, path.Ext(f.Path))
	name = strings.TrimSuffix(name, ".schema")
	return checkWords(name)
}

// pointerWords turns a JSON pointer into an identifier part. The word
// properties is left out: /properties/lines/items is LinesItems.
func pointerWords(pointer string) string {
	var b strings.Builder
	tokens := strings.Split(pointer, "/")[1:]
	if pointer == "" {
		tokens = nil
	}
	for i := 0; i < len(tokens); i++ {
		if tokens[i] == "properties" && i+1 < len(tokens) {
			i++
		}
		b.WriteString(checkWords(pointerUnescaper.Replace(tokens[i])))
	}
	return b.String()
}

var pointerUnescaper = strings.NewReplacer("~1", "/", "~0", "~")

// checkWords joins the words of any text to an identifier part of ASCII letters and
// digits, each word with a capital letter.
func checkWords(text string) string {
	var b strings.Builder
	up := true
	for _, r := range text {
		switch {
		case r < unicode.MaxASCII && (unicode.IsLetter(r) || unicode.IsDigit(r)):
			if up {
				r = unicode.ToUpper(r)
			}
			b.WriteRune(r)
			up = false
		default:
			up = true
		}
	}
	return b.String()
}

// appendJSONString appends s as a JSON string.
func appendJSONString(b []byte, s string) []byte {
	text, err := json.Marshal(s)
	if err != nil {
		panic(err) // a string
	}
	return append(b, text...)
}
