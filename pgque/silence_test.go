package pgque

import "time"

// WithSilence sets how long a client may hear no notification before it tests whether it
// would, and how long it waits for the answer.
func WithSilence(d, answer time.Duration) ClientOption {
	return func(c *Client) { c.listener.silence, c.listener.wait = d, answer }
}
