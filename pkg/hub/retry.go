package hub

import (
	"context"
	"crypto/tls"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/url"
	"strconv"
	"time"
)

// The limits of patience.
const (
	maxAttempts = 5 // without a byte more than before
	firstPause  = time.Second
	longestWait = 2 * time.Minute // that a server may ask for
)

// brokenError is a transfer that another attempt may bring to its end.
type brokenError struct{ cause error }

func (e *brokenError) Error() string {
	if errors.Is(e.cause, io.ErrUnexpectedEOF) || errors.Is(e.cause, io.EOF) {
		return "the connection ended too early"
	}
	return e.cause.Error()
}

func (e *brokenError) Unwrap() error { return e.cause }

// errStalled is the cause that a silent server gives.
var errStalled = errors.New("the server sent nothing for too long")

// transportError is what went wrong before there was an answer. The address is
// left out, as it may carry a signature.
func transportError(ctx context.Context, host string, err error) error {
	if cause := context.Cause(ctx); cause != nil && !errors.Is(cause, errStalled) {
		return cause
	} else if cause != nil {
		err = cause
	}
	var ue *url.Error
	if errors.As(err, &ue) {
		err = ue.Err
	}
	if lasting(err) {
		return fmt.Errorf("%s: %w", host, err)
	}
	return fmt.Errorf("%s: %w", host, &brokenError{err})
}

// lasting reports whether a fault is one of the settings, which no other
// attempt mends.
func lasting(err error) bool {
	var untrusted *tls.CertificateVerificationError
	var unencrypted tls.RecordHeaderError
	var unknown *net.DNSError
	return errors.Is(err, http.ErrSchemeMismatch) || errors.As(err, &unencrypted) || errors.As(err, &untrusted) ||
		errors.As(err, &unknown) && unknown.IsNotFound
}

// statusError is an answer that is not the one asked for.
type statusError struct {
	host   string
	status int
	code   string        // X-Error-Code, such as GatedRepo
	after  time.Duration // Retry-After, 0 if there is none
}

func (e *statusError) Error() string {
	text := fmt.Sprintf("%s: expected an answer, found status %d %s", e.host, e.status, http.StatusText(e.status))
	if e.after > longestWait {
		text += fmt.Sprintf(": try again in %s", e.after.Round(time.Second))
	}
	return text
}

func newStatusError(r *reply) *statusError {
	e := &statusError{host: r.host, status: r.StatusCode, code: r.Header.Get("X-Error-Code")}
	text := r.Header.Get("Retry-After")
	if seconds, err := strconv.Atoi(text); err == nil && seconds > 0 {
		e.after = min(time.Duration(seconds), 1<<20) * time.Second
	} else if date, err := http.ParseTime(text); err == nil {
		e.after = max(0, time.Until(date))
	}
	return e
}

// passing reports whether another attempt may help, and how long the server
// wants to be left alone.
func passing(err error) (again bool, after time.Duration) {
	var status *statusError
	if errors.As(err, &status) {
		again = status.status >= 500 || status.status == http.StatusTooManyRequests || status.status == http.StatusRequestTimeout
		return again && status.after <= longestWait, status.after
	}
	var broken *brokenError
	return errors.As(err, &broken), 0
}

// retry tries until it works, until what is wrong cannot pass, or until nothing
// more was achieved maxAttempts times in a row.
func (c *Client) retry(ctx context.Context, tell func(error, time.Duration), try func() (achieved bool, err error)) error {
	for failures := 0; ; {
		achieved, err := try()
		if err == nil {
			return nil
		}
		if ctx.Err() != nil {
			return ctx.Err()
		}
		if achieved {
			failures = 0
		}
		failures++
		again, after := passing(err)
		if !again {
			return err
		}
		if failures >= maxAttempts {
			return fmt.Errorf("%w (%d attempts)", err, failures)
		}
		wait := max(after, firstPause<<(failures-1))
		tell(err, wait)
		if err := c.sleep(ctx, wait); err != nil {
			return err
		}
	}
}

func (c *Client) sleep(ctx context.Context, d time.Duration) error {
	if c.Sleep != nil {
		return c.Sleep(ctx, d)
	}
	return wait(ctx, d)
}

// watcher ends a request whose server falls silent.
type watcher struct {
	ctx    context.Context
	cancel context.CancelCauseFunc
	timer  *time.Timer
	stall  time.Duration
}

// watch begins to wait for a server.
func (c *Client) watch(ctx context.Context) (context.Context, *watcher) {
	w := &watcher{stall: c.Stall}
	if w.stall <= 0 {
		w.stall = defaultStall
	}
	w.ctx, w.cancel = context.WithCancelCause(ctx)
	w.timer = time.AfterFunc(w.stall, func() { w.cancel(errStalled) })
	return w.ctx, w
}

func (w *watcher) stop() {
	w.timer.Stop()
	w.cancel(nil)
}

// reader starts the wait anew with every piece that arrives.
func (w *watcher) reader(r io.Reader) io.Reader { return &watchedReader{r, w} }

type watchedReader struct {
	r io.Reader
	w *watcher
}

func (r *watchedReader) Read(p []byte) (int, error) {
	r.w.timer.Reset(r.w.stall)
	return r.r.Read(p)
}

// explain tells a silent server from an end that the caller wanted.
func (w *watcher) explain(err error) error {
	if cause := context.Cause(w.ctx); errors.Is(cause, errStalled) {
		return &brokenError{cause}
	} else if cause != nil {
		return cause
	}
	return err
}
