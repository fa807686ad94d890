package view

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"log"
	"net"
	"net/http"
	"strconv"
	"sync"
	"time"

	"github.com/seed-2c350065/acdc/internal/jsonfile"
	"github.com/seed-2c350065/acdc/internal/oneline"
	"github.com/seed-2c350065/acdc/pkg/circuit"
)

// headerSize bounds the header of a request, in bytes.
const headerSize = 16 << 10

// patience says how long a client may take: to send its header, a request, and to
// take an answer; and how long a connection may be idle. What an answer takes to
// compute has no limit of time: it ends when the client leaves.
type patience struct{ header, read, write, idle time.Duration }

var usual = patience{header: 5 * time.Second, read: 20 * time.Second, write: 20 * time.Second, idle: 2 * time.Minute}

// Options say what is served beside the engine.
type Options struct {
	Page   []byte                                     // HTML, whose addresses are relative
	Policy string                                     // its Content-Security-Policy
	Token  string                                     // of NewToken: the first part of every path
	Save   func(context.Context, *circuit.File) error // writes where the command line says; nil where it says nothing
	Log    io.Writer                                  // for what should not happen
}

// Listen opens a port of the loopback, any free one for 0.
func Listen(port int) (net.Listener, error) {
	l, err := net.Listen("tcp4", net.JoinHostPort("127.0.0.1", strconv.Itoa(port)))
	var op *net.OpError
	if errors.As(err, &op) {
		err = op.Err
	}
	if err != nil {
		return nil, fmt.Errorf("port %d of 127.0.0.1: expected one that is free, found: %w", port, err)
	}
	return l, nil
}

// Address is where a page is that is served on a listener under a token.
func Address(l net.Listener, token string) string {
	return "http://" + l.Addr().String() + "/" + token + "/"
}

// Serve serves a session until ctx ends, whose error it returns, and closes the
// listener. Nothing is computed any more when it returns.
//
// Below the token's path are the page, and what it asks for: POST measure, a
// Question for an Answer; POST circuit, a set of edges for its circuit file; and
// POST save, the same, written to where the command line said.
func Serve(ctx context.Context, l net.Listener, s *Session, o Options) error {
	return serve(ctx, l, s, o, usual)
}

func serve(ctx context.Context, l net.Listener, s *Session, o Options, p patience) error {
	visits, end := context.WithCancel(ctx)
	defer end()
	h := &handler{s: s, o: o, write: p.write}
	mux := http.NewServeMux()
	mux.HandleFunc("GET /"+o.Token+"/{$}", h.page)
	mux.HandleFunc("POST /"+o.Token+"/measure", h.measure)
	mux.HandleFunc("POST /"+o.Token+"/circuit", h.circuit)
	mux.HandleFunc("POST /"+o.Token+"/save", h.save)
	srv := &http.Server{
		Handler:           &guard{token: o.Token, hosts: hosts(l), next: mux, deny: h.sendError},
		ReadHeaderTimeout: p.header, ReadTimeout: p.read, IdleTimeout: p.idle, MaxHeaderBytes: headerSize,
		BaseContext: func(net.Listener) context.Context { return visits },
		ErrorLog:    log.New(o.Log, "", 0),
	}
	defer context.AfterFunc(ctx, func() { _ = srv.Close() })() // nothing is written that could be lost
	err := srv.Serve(l)
	end()
	s.engine <- struct{}{} // for good: who still waits finds visits ended
	h.saving.Lock()
	if ctx.Err() != nil {
		return ctx.Err()
	}
	return err
}

// handler answers those that the guard lets in.
type handler struct {
	s      *Session
	o      Options
	write  time.Duration // to take an answer
	saving sync.Mutex
}

func (h *handler) page(w http.ResponseWriter, _ *http.Request) {
	w.Header().Set("Content-Security-Policy", h.o.Policy+"; frame-ancestors 'none'")
	h.send(w, http.StatusOK, "text/html; charset=utf-8", h.o.Page)
}

// measure answers a Question.
func (h *handler) measure(w http.ResponseWriter, r *http.Request) {
	var q Question
	if !h.read(w, r, &q) {
		return
	}
	a, err := h.s.Measure(r.Context(), q)
	if err != nil {
		h.refuse(w, err)
		return
	}
	h.sendJSON(w, http.StatusOK, a)
}

// edges is a set of edges by number.
type edges struct {
	Edges []int `json:"edges"`
}

// circuit answers with a circuit file.
func (h *handler) circuit(w http.ResponseWriter, r *http.Request) {
	f, ok := h.file(w, r)
	if !ok {
		return
	}
	w.Header().Set("Content-Disposition", `attachment; filename="circuit.json"`)
	h.writeWithin(w)
	if err := f.Encode(w); err != nil {
		panic(http.ErrAbortHandler) // the client has left, or gets no end
	}
}

// save writes a circuit to where the command line says.
func (h *handler) save(w http.ResponseWriter, r *http.Request) {
	if h.o.Save == nil {
		h.refuse(w, questionf("expected acdc view -o FILE, which says where to save; the page can download the circuit"))
		return
	}
	f, ok := h.file(w, r)
	if !ok {
		return
	}
	h.saving.Lock()
	defer h.saving.Unlock()
	if err := r.Context().Err(); err != nil {
		h.refuse(w, err)
		return
	}
	if err := h.o.Save(r.Context(), f); err != nil {
		h.refuse(w, err)
		return
	}
	h.sendJSON(w, http.StatusOK, struct {
		Edges int `json:"edges"`
	}{f.EdgesKept})
}

// file makes the circuit file that is asked for; without one, an answer is sent.
func (h *handler) file(w http.ResponseWriter, r *http.Request) (*circuit.File, bool) {
	var q edges
	if !h.read(w, r, &q) {
		return nil, false
	}
	f, err := h.s.File(r.Context(), q.Edges)
	if err != nil {
		h.refuse(w, err)
		return nil, false
	}
	return f, true
}

// read reads a question as JSON, of no more text than all edges take; if it
// cannot, an answer is sent. From then on the request's context ends when the
// client leaves, and not before.
func (h *handler) read(w http.ResponseWriter, r *http.Request, into any) bool {
	const each, besides = 12, 4 << 10 // bytes of an edge's number, and of the rest
	limit := int64(each*h.s.graph.NumEdges() + besides)
	data, err := io.ReadAll(http.MaxBytesReader(w, r.Body, limit))
	var large *http.MaxBytesError
	switch {
	case errors.As(err, &large):
		h.sendError(w, http.StatusRequestEntityTooLarge, fmt.Sprintf("expected a question of at most %d bytes", limit))
		return false
	case err != nil:
		h.sendError(w, http.StatusRequestTimeout, "expected a whole question, found a part")
		return false
	}
	_ = http.NewResponseController(w).SetReadDeadline(time.Time{}) // a connection that has none ends with its client too
	if err := jsonfile.Decode(r.Context(), "question", data, into); err != nil {
		h.refuse(w, &QuestionError{err})
		return false
	}
	return true
}

// refuse answers with an error.
func (h *handler) refuse(w http.ResponseWriter, err error) {
	status := http.StatusInternalServerError
	var question *QuestionError
	switch {
	case errors.Is(err, context.Canceled): // nobody listens any more
		panic(http.ErrAbortHandler)
	case errors.As(err, &question):
		status = http.StatusBadRequest
	case errors.Is(err, ErrBusy):
		status = http.StatusServiceUnavailable
	}
	h.sendError(w, status, err.Error())
}

// sendError answers with an error's text, in one line.
func (h *handler) sendError(w http.ResponseWriter, status int, text string) {
	h.sendJSON(w, status, struct {
		Error string `json:"error"`
	}{oneline.Middle(oneline.Plain(text), 1500)})
}

func (h *handler) sendJSON(w http.ResponseWriter, status int, x any) {
	text, err := json.Marshal(x)
	if err != nil {
		panic(fmt.Sprintf("view: %v", err)) // Measure lets no number through that JSON has not
	}
	h.send(w, status, "application/json", text)
}

// send answers, to a client that takes the answer in time.
func (h *handler) send(w http.ResponseWriter, status int, kind string, text []byte) {
	h.writeWithin(w)
	w.Header().Set("Content-Type", kind)
	w.Header().Set("Content-Length", strconv.Itoa(len(text)))
	w.WriteHeader(status)
	_, _ = w.Write(text) // a client that left gets none
}

// writeWithin gives a client its time to take an answer.
func (h *handler) writeWithin(w http.ResponseWriter) {
	_ = http.NewResponseController(w).SetWriteDeadline(time.Now().Add(h.write)) // a connection that has none needs none
}
