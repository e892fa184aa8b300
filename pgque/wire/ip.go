package wire

import (
	"net/netip"
	"strings"
)

// FormatIPv4 is the format ipv4: a dotted quad of RFC 2673 without leading zeros.
func FormatIPv4(s string) bool {
	if strings.IndexByte(s, ':') >= 0 {
		return false
	}
	a, err := netip.ParseAddr(s)
	return err == nil && a.Is4()
}

// FormatIPv6 is the format ipv6: RFC 4291 section 2.2, without zone.
func FormatIPv6(s string) bool {
	if strings.IndexByte(s, '%') >= 0 {
		return false
	}
	a, err := netip.ParseAddr(s)
	return err == nil && a.Is6()
}
