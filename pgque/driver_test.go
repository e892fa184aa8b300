package pgque

import (
	"context"
	"errors"
	"fmt"
	"log/slog"

	"github.com/jackc/pgx/v5"
)

// NewOffline is a client whose consumers cannot be started.
func NewOffline(opts ...ClientOption) *Client {
	return New(nil, append([]ClientOption{WithLogger(slog.New(slog.DiscardHandler))}, opts...)...)
}

// SQLReceive asks for a page as Receive does.
const SQLReceive = sqlReceive

// ReadPage reads rows as Receive does.
func ReadPage(rows pgx.Rows, expected int) ([]Message, error) { return collectMessages(rows, expected) }

// PageDriver gives pages to the handlers of a consumer without a server.
type PageDriver struct{ session *session }

// DrivePages stands for Start.
func DrivePages(ctx context.Context, c *Consumer) *PageDriver {
	working := context.WithValue(context.WithoutCancel(ctx), consumerKey, c)
	return &PageDriver{&session{Consumer: c, taking: ctx, working: working, declared: c.declaredSet()}}
}

// Handle gives a page to the handlers and joins the errors of those that failed.
func (d *PageDriver) Handle(page []Message) error {
	var errs []error
	for i, r := range d.session.handlePage(page) {
		if !r.done {
			errs = append(errs, fmt.Errorf("message %d: %w", page[i].MsgID, r.err()))
		}
	}
	return errors.Join(errs...)
}
