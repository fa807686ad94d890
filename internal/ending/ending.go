// Package ending has contexts that end in the middle of a computation, for tests.
package ending

import (
	"context"
	"sync"
	"sync/atomic"
	"testing"

	"github.com/stretchr/testify/require"
)

// Context ends when it is asked for the n-th time whether it has.
type Context struct {
	context.Context
	left  atomic.Int64
	asked atomic.Int64
	done  chan struct{}
	once  sync.Once
}

// After is a context that says n times that it has not ended.
func After(n int) *Context {
	c := &Context{Context: context.Background(), done: make(chan struct{})}
	c.left.Store(int64(n))
	return c
}

// Err is nil the first times, then [context.Canceled].
func (c *Context) Err() error {
	c.asked.Add(1)
	if c.left.Add(-1) >= 0 {
		return nil
	}
	c.once.Do(func() { close(c.done) })
	return context.Canceled
}

// Asked is how often Err was called.
func (c *Context) Asked() int { return int(c.asked.Load()) }

// Done is closed when the context has ended.
func (c *Context) Done() <-chan struct{} { return c.done }

// Everywhere runs something that takes a context until it ends, and then with
// contexts that end earlier, at some times spread over the whole: each is to be
// answered by the context's error. It must ask at least a number of times.
func Everywhere(t testing.TB, least int, do func(ctx context.Context) error) {
	t.Helper()
	whole := After(1 << 60)
	require.NoError(t, do(whole))
	asked := whole.Asked()
	require.GreaterOrEqual(t, asked, least, "times that the context is asked")
	most := min(asked, 12)
	if testing.Short() {
		most = min(asked, 6)
	}
	for i := range most {
		n := i * asked / most
		require.Equal(t, context.Canceled, do(After(n)), "ended at %d of %d", n, asked)
	}
}
