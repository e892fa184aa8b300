package wire_test

import (
	"testing"

	"github.com/pgque/pgque-go/pgque/wire"
)

func TestDecoder_PointsAtWhatIsWrong(t *testing.T) {
	d := wire.NewDecoder([]byte(`{"lines":[{"quantity":1},{"quantity":"x"}]}`))
	for d.Object(); d.Member(); {
		for d.Array(); d.Item(); {
			for d.Object(); d.Member(); {
				var n int64
				d.Int64(&n, nil)
			}
			d.Required("sku")
		}
	}
	err := d.Err("order.created")
	const want = `order.created: /lines/0: "sku" is missing; and 2 more`
	if err == nil || err.Error() != want {
		t.Fatalf("got %v, want %s", err, want)
	}
}
