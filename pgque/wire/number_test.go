package wire_test

import (
	"cmp"
	"encoding/json"
	"math"
	"math/big"
	"strconv"
	"strings"
	"testing"

	"github.com/pgque/pgque-go/pgque/wire"
)

var numbers = []string{
	"0", "-0", "0.0", "0e5", "-0.000e-9", "1", "-1", "1.0", "10", "100", "0.1", "0.10", "1e1", "1e-1", "1E+2", "12.50", "-12.5", "0.3", "0.01", "19.99",
	"9007199254740993", "9223372036854775807", "9223372036854775808", "18446744073709551615", "18446744073709551616", "99999999999999999999",
	"123456789012345678", "1234567890123456789", "12345678901234567890", "12345678901234567890123", "0.12345678901234567890123", "1.7976931348623157e308",
	"5e-324", "1e-400", "1e400", "100000000000000000000e-20", "3", "7", "49", "1e17", "1e18", "1e19", "1e20", "999999999999999999", "0.999999999999999999", "1000000000000000000000000",
}

// rat is the value by package big, which expands exponents.
func rat(text string) *big.Rat {
	r, ok := new(big.Rat).SetString(text)
	if !ok {
		panic(text)
	}
	return r
}

// FuzzNumber compares with package big, for exponents that it can expand.
func FuzzNumber_AgreesWithBig(f *testing.F) {
	for _, a := range numbers {
		for _, b := range numbers {
			f.Add(a, b)
		}
	}
	f.Fuzz(func(t *testing.T, a, b string) {
		if !isNumber(a) || !isNumber(b) {
			t.Skip()
		}
		x, y := rat(a), rat(b)
		n, d := wire.Number(a), wire.MustDecimal(b)
		if got, want := n.Compare(d), x.Cmp(y); got != want {
			t.Errorf("%s compared with %s: %d, want %d", a, b, got, want)
		}
		if n.IsInteger() != x.IsInt() {
			t.Errorf("%s is an integer: %v", a, n.IsInteger())
		}
		if y.Sign() > 0 {
			if got, want := n.MultipleOf(d), new(big.Rat).Quo(x, y).IsInt(); got != want {
				t.Errorf("%s is a multiple of %s: %v", a, b, got)
			}
		}
		i, ok := n.Int64()
		if want := x.IsInt() && x.Num().IsInt64(); ok != want || ok && i != x.Num().Int64() {
			t.Errorf("%s as int64: %d, %v", a, i, ok)
		}
		u, ok := n.Uint64()
		if want := x.IsInt() && x.Num().IsUint64(); ok != want || ok && u != x.Num().Uint64() {
			t.Errorf("%s as uint64: %d, %v", a, u, ok)
		}
		checkFloat(t, n)
		checkReading(t, n, d)
		v, w := wire.MustParse(a), wire.MustParse(b)
		if wire.Equal(v, w) != (x.Cmp(y) == 0) {
			t.Errorf("%s equals %s: %v", a, b, wire.Equal(v, w))
		}
		many := wire.MustParse("[" + a + `,true,false,null,{},[],"a","b","c","d","e","f","g","h","i",` + b + "]")
		if many.Unique() != (x.Cmp(y) != 0) {
			t.Errorf("%s and %s are unique: %v", a, b, many.Unique())
		}
	})
}

func checkFloat(t *testing.T, n wire.Number) {
	want, err := strconv.ParseFloat(string(n), 64)
	got, ok := n.Float64()
	if ok != (err == nil) || math.Float64bits(got) != math.Float64bits(want) {
		t.Errorf("%s as float64: %v, %v", n, got, ok)
	}
	if !ok {
		return
	}
	text := string(wire.AppendFloat(nil, got))
	if back, _ := strconv.ParseFloat(text, 64); !isNumber(text) || back != got {
		t.Errorf("%v is written as %s", got, text)
	}
	_, exact := n.ExactFloat64()
	if exact != (rat(text).Cmp(rat(string(n))) == 0) {
		t.Errorf("%s is exact: %v", n, exact)
	}
}

// checkReading compares what a Decoder makes of a number with what the number is.
func checkReading(t *testing.T, n wire.Number, limit *wire.Decimal) {
	text := []byte(n + " ")
	d := wire.NewDecoder(text)
	var f float64
	exact, ok := d.Exact(&f)
	if near, fits := n.Float64(); !ok || fits && math.Float64bits(f) != math.Float64bits(near) {
		t.Errorf("%s was read as %v", n, f)
	}
	if exact.Compare(limit) != n.Compare(limit) || wire.Show(exact) != wire.Show(n) {
		t.Errorf("%s became %s", n, wire.Show(exact))
	}
	d.Reset(text)
	var i int64
	want, isInt64 := n.Int64()
	if ok := d.Int64(&i, nil); ok != isInt64 || ok && i != want {
		t.Errorf("%s was read as %d", n, i)
	}
	d.Reset(text)
	var u uint64
	natural, isUint64 := n.Uint64()
	if ok := d.Uint64(&u, nil); ok != isUint64 || ok && u != natural {
		t.Errorf("%s was read as %d", n, u)
	}
}

// FuzzAppendFloat_IsShortest compares with package strconv.
func FuzzAppendFloat_IsShortest(f *testing.F) {
	for _, digits := range []int64{0, 1, -1, 5, 99, 1225, -1225, 123456789012345, 999999999999999, 1000000000000000, -9007199254740993} {
		for scale := range uint8(8) {
			f.Add(digits, scale)
		}
	}
	f.Fuzz(func(t *testing.T, digits int64, scale uint8) {
		for _, v := range []float64{float64(digits) / math.Pow10(int(scale)), math.Float64frombits(uint64(digits))} {
			if a := math.Abs(v); a < 1e-6 || !(a < 1e21) {
				continue
			}
			if got, want := string(wire.AppendFloat(nil, v)), strconv.FormatFloat(v, 'f', -1, 64); got != want {
				t.Errorf("%s, not %s", got, want)
			}
		}
	})
}

// isNumber takes JSON numbers with exponents below a thousand.
func isNumber(s string) bool {
	if !json.Valid([]byte(s)) || s[0] != '-' && (s[0] < '0' || s[0] > '9') || strings.TrimSpace(s) != s || len(s) > 500 {
		return false
	}
	i := strings.IndexAny(s, "eE")
	return i < 0 || len(strings.TrimLeft(s[i+1:], "+-0")) <= 3
}

func TestNumber_ExponentsAreNotExpanded(t *testing.T) {
	order := []string{
		"-1e1000000000000000000000000000001", "-1e1000000000000000000000000000000", "-9.9e999999999999999999", "-1e999999999999999999", "-1e1000000000", "-1",
		"-1e-1000000000", "-1e-100000000000000000000", "0", "1e-100000000000000000001", "1e-100000000000000000000", "9e-100000000000000000000",
		"1e-1000000000", "1", "1e1000000000", "2e1000000000", "1e1000000001", "1e99999999999999999", "1e100000000000000000", "1e999999999999999999",
		"1e1000000000000000000", "1.1e1000000000000000000", "1e1000000000000000001", "1e1000000000000000000000000000000",
	}
	for i, a := range order {
		for j, b := range order {
			if got := wire.Number(a).Compare(wire.MustDecimal(b)); got != cmp.Compare(i, j) {
				t.Errorf("%s compared with %s: %d", a, b, got)
			}
		}
	}
}

func TestNumber_OneValueInManySpellings(t *testing.T) {
	same := []string{
		"1e1000000000000000000", "10e999999999999999999", "0.1e1000000000000000001", "1.000e1000000000000000000", "100000000000000000000e999999999999999980",
		"0.00000000000000000000000001e1000000000000000026", "1E+0001000000000000000000",
	}
	for _, a := range same {
		for _, b := range same {
			if !wire.Equal(wire.MustParse(a), wire.MustParse(b)) {
				t.Errorf("%s is not %s", a, b)
			}
			if wire.MustParse("[" + a + `,1,2,3,4,5,6,7,8,9,10,11,12,13,14,15,16,17,` + b + "]").Unique() {
				t.Errorf("%s and %s hash to different values", a, b)
			}
		}
	}
}

func TestNumber_MultiplesBeyondAnyMachineNumber(t *testing.T) {
	for _, c := range []struct {
		n, of string
		want  bool
	}{
		{"1e1000000000", "1", true}, {"1e1000000000", "3", false}, {"1e1000000000", "1e999999999", true}, {"1e1000000000", "1024", true},
		{"1e-1000000000", "1", false}, {"1e-1000000000", "1e-1000000000", true}, {"3e1000000000", "3", true}, {"1e100000000000000000000000", "7", false},
		{"7e100000000000000000000000", "7", true}, {"1e100000000000000000000000", "1e99999999999999999999999", true}, {"1e5", "1e100000000000000000000000", false},
		{"123456789012345678901234567890", "123456789012345678901234567890", true}, {"1234567890123456789012345678900e1000000", "123456789012345678901234567890", true},
		{"123456789012345678901234567891", "123456789012345678901234567890", false}, {"0", "1e1000000000", true}, {"0.0075", "0.0001", true}, {"0.00751", "0.0001", false},
		{"1e308", "0.123456789", false}, {"4.35", "0.01", true}, {"19.99", "0.01", true}, {"1e-8", "1e-8", true}, {"12391239123", "1e-8", true},
	} {
		if got := wire.Number(c.n).MultipleOf(wire.MustDecimal(c.of)); got != c.want {
			t.Errorf("%s is a multiple of %s: %v", c.n, c.of, got)
		}
	}
}

func TestMustDecimal_RefusesWhatIsNoNumber(t *testing.T) {
	for _, text := range []string{"", "x", "1x", "01", "+1", "1.", "1e"} {
		func() {
			defer func() {
				if recover() == nil {
					t.Errorf("%q was taken", text)
				}
			}()
			wire.MustDecimal(text)
		}()
	}
}
