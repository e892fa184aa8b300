package schema

import (
	"net/url"
	"path"
	"strings"
)

// resolveURI resolves text against base by RFC 3986, section 5.
func resolveURI(base *url.URL, text string) (*url.URL, error) {
	u, err := url.Parse(text)
	if err != nil {
		return nil, err.(*url.Error).Err
	}
	return base.ResolveReference(u), nil
}

// documentURI is u without its fragment, in the form that resources are
// registered under.
func documentURI(u *url.URL) string {
	v := *u
	v.Fragment, v.RawFragment = "", ""
	v.Host = strings.ToLower(v.Host)
	return v.String()
}

// withoutFragment is u as a base for other references.
func withoutFragment(u *url.URL) *url.URL {
	v := *u
	v.Fragment, v.RawFragment = "", ""
	return &v
}

// below is the URI of the file with that path below base. The path is taken as
// it is: a '%' or '#' in a file's name is that character.
func below(base *url.URL, name string) *url.URL {
	u := *base
	u.Path, u.RawPath = path.Join(base.Path, name), ""
	return &u
}

// pointerToken escapes a member name for a JSON pointer (RFC 6901).
func pointerToken(name string) string {
	if !strings.ContainsAny(name, "~/") {
		return name
	}
	return strings.NewReplacer("~", "~0", "/", "~1").Replace(name)
}

// splitPointer returns the unescaped tokens of a JSON pointer.
func splitPointer(pointer string) ([]string, bool) {
	if pointer == "" {
		return nil, true
	}
	if pointer[0] != '/' {
		return nil, false
	}
	tokens := strings.Split(pointer[1:], "/")
	for i, t := range tokens {
		if !validToken(t) {
			return nil, false
		}
		tokens[i] = strings.NewReplacer("~1", "/", "~0", "~").Replace(t)
	}
	return tokens, true
}

func validToken(t string) bool {
	for i := 0; i < len(t); i++ {
		if t[i] == '~' && (i+1 == len(t) || t[i+1] != '0' && t[i+1] != '1') {
			return false
		}
	}
	return true
}
