package view

import (
	"bufio"
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/seed-2c350065/acdc/internal/study"
	"github.com/seed-2c350065/acdc/pkg/circuit"
)

// served is a server of a session, until the test ends.
type served struct {
	t     *testing.T
	host  string
	token string
	log   *bytes.Buffer
	end   context.CancelFunc
	ended chan error
}

// serveTest serves a session.
func serveTest(t *testing.T, s *Session, o Options, p patience) *served {
	t.Helper()
	l, err := Listen(0)
	require.NoError(t, err)
	ctx, end := context.WithCancel(t.Context())
	x := &served{t: t, host: l.Addr().String(), token: NewToken(), log: &bytes.Buffer{}, end: end, ended: make(chan error, 1)}
	o.Token, o.Log = x.token, x.log
	if o.Page == nil {
		o.Page, o.Policy = []byte("<!DOCTYPE html>the page"), "default-src 'none'"
	}
	go func() { x.ended <- serve(ctx, l, s, o, p) }()
	t.Cleanup(func() {
		end()
		assert.ErrorIs(t, <-x.ended, context.Canceled)
		assert.Empty(t, x.log.String())
	})
	return x
}

// do sends a request, which change may change, and returns status, header and
// body.
func (x *served) do(method, path, body string, change func(*http.Request)) (int, http.Header, string) {
	x.t.Helper()
	r, err := http.NewRequestWithContext(x.t.Context(), method, "http://"+x.host+path, strings.NewReader(body))
	require.NoError(x.t, err)
	if method == http.MethodPost {
		r.Header.Set("Content-Type", "application/json")
		r.Header.Set("Origin", "http://"+x.host)
	}
	if change != nil {
		change(r)
	}
	res, err := (&http.Client{Transport: &http.Transport{DisableKeepAlives: true}}).Do(r)
	require.NoError(x.t, err)
	defer res.Body.Close()
	text, err := io.ReadAll(res.Body)
	require.NoError(x.t, err)
	return res.StatusCode, res.Header, string(text)
}

// ask asks the engine what some edges do.
func (x *served) ask(edges []int) (int, string) {
	q, err := json.Marshal(Question{Edges: edges})
	require.NoError(x.t, err)
	status, _, text := x.do("POST", "/"+x.token+"/measure", string(q), nil)
	return status, text
}

// The page comes to who has the token, with headers that let nothing out and
// nobody frame it.
func TestServeSendsThePage(t *testing.T) {
	x := serveTest(t, opened(t, study.Spec{Task: "or_gate"}), Options{}, usual)
	assert.True(t, strings.HasPrefix(x.host, "127.0.0.1:"), x.host)
	for _, host := range []string{x.host, strings.Replace(x.host, "127.0.0.1", "localhost", 1)} {
		status, h, text := x.do("GET", "/"+x.token+"/", "", func(r *http.Request) { r.Host = host })
		assert.Equal(t, 200, status)
		assert.Equal(t, "<!DOCTYPE html>the page", text)
		for key, want := range map[string]string{
			"Content-Type": "text/html; charset=utf-8", "Content-Security-Policy": "default-src 'none'; frame-ancestors 'none'", "Cache-Control": "no-store",
			"X-Content-Type-Options": "nosniff", "X-Frame-Options": "DENY", "Referrer-Policy": "no-referrer",
			"Cross-Origin-Opener-Policy": "same-origin", "Cross-Origin-Resource-Policy": "same-origin",
		} {
			assert.Equal(t, want, h.Get(key), key)
		}
	}
	assert.Equal(t, 26, len(NewToken()))
	assert.NotEqual(t, NewToken(), NewToken())
}

// Strangers are refused, at the page as at the engine, each for its own reason.
func TestServeRefusesStrangers(t *testing.T) {
	s := opened(t, study.Spec{Task: "or_gate"})
	x := serveTest(t, s, Options{Save: func(context.Context, *circuit.File) error { return errors.New("nothing may be saved") }}, usual)
	own := "/" + x.token + "/"
	port := x.host[strings.LastIndex(x.host, ":"):]
	header := func(key, value string) func(*http.Request) {
		return func(r *http.Request) { r.Header.Set(key, value) }
	}
	for _, c := range []struct {
		path   string
		change func(*http.Request)
		status int
		why    string
	}{
		{own, func(r *http.Request) { r.Host = "evil.example" + port }, 403, "foreign Host"},
		{own, func(r *http.Request) { r.Host = "evil.example" }, 403, "foreign Host"},
		{own, func(r *http.Request) { r.Host = "127.0.0.1:1" }, 403, "foreign Host"},
		{own, func(r *http.Request) { r.Host = "127.0.0.1" + port + ".evil.example" }, 403, "foreign Host"},
		{own, header("Origin", "http://evil.example"), 403, "foreign Origin"},
		{own, header("Origin", "null"), 403, "foreign Origin"},
		{own, header("Origin", "https://"+x.host), 403, "foreign Origin"},
		{own, header("Origin", "http://127.0.0.1:1"), 403, "foreign Origin"},
		{own, func(r *http.Request) { r.Header["Origin"] = []string{"http://" + x.host, "http://evil.example"} }, 403, "foreign Origin"},
		{"/", nil, 403, "missing token"},
		{"/" + x.token[:25] + "/", nil, 403, "missing token"},
		{"/" + x.token + "x/", nil, 403, "missing token"},
		{"/" + NewToken() + "/", nil, 403, "missing token"},
		{"//" + x.token + "/", nil, 403, "missing token"},
	} {
		for _, end := range []string{"GET ", "POST measure", "POST circuit", "POST save"} {
			method, name, _ := strings.Cut(end, " ")
			status, h, text := x.do(method, c.path+name, `{"edges":[0]}`, c.change)
			assert.Equal(t, c.status, status, "%s %s%s", method, c.path, name)
			assert.Contains(t, text, c.why, "%s %s%s", method, c.path, name)
			assert.NotContains(t, text, "DOCTYPE")
			assert.Empty(t, h.Get("Access-Control-Allow-Origin"))
		}
	}
	for _, site := range []string{"cross-site", "same-site", "none"} {
		status, _, text := x.do("POST", own+"measure", `{"edges":[0]}`, header("Sec-Fetch-Site", site))
		assert.Equal(t, 403, status, site)
		assert.Contains(t, text, "foreign Sec-Fetch-Site")
	}
	for _, kind := range []string{"", "text/plain", "application/x-www-form-urlencoded", "multipart/form-data"} {
		status, _, _ := x.do("POST", own+"measure", `{"edges":[0]}`, header("Content-Type", kind))
		assert.Equal(t, 415, status, kind)
	}
	status, _, _ := x.do("OPTIONS", own+"measure", "", header("Origin", "http://evil.example"))
	assert.Equal(t, 403, status, "no leave is given to other origins")
	status, _, _ = x.do("GET", own+"measure", "", nil)
	assert.Equal(t, 405, status)
	status, _, _ = x.do("GET", own+"etc/passwd", "", nil)
	assert.Equal(t, 404, status)
}

// The engine's answer goes through JSON unchanged, to the last digit.
func TestServeMeasuresAndSaves(t *testing.T) {
	s := opened(t, study.Spec{Task: "induction"})
	var saved []*circuit.File
	x := serveTest(t, s, Options{Save: func(_ context.Context, f *circuit.File) error {
		saved = append(saved, f)
		if len(saved) > 1 {
			return errors.New("c.json: no space\nleft")
		}
		return nil
	}}, usual)
	edges := without(t, s, "a1.h1->logits")
	want, err := s.Measure(t.Context(), Question{Edges: edges})
	require.NoError(t, err)
	status, text := x.ask(edges)
	require.Equal(t, 200, status, text)
	var got Answer
	require.NoError(t, json.Unmarshal([]byte(text), &got))
	assert.Equal(t, want, &got)
	assert.Equal(t, "acdc run --circuit c.json --cut 'a1.h1->logits'", got.Command)

	question := fmt.Sprintf(`{"edges":[%s]}`, strings.Trim(strings.ReplaceAll(fmt.Sprint(edges), " ", ","), "[]"))
	status, h, text := x.do("POST", "/"+x.token+"/circuit", question, nil)
	assert.Equal(t, 200, status)
	assert.Equal(t, `attachment; filename="circuit.json"`, h.Get("Content-Disposition"))
	f, err := circuit.Decode(t.Context(), "download", strings.NewReader(text))
	require.NoError(t, err)
	assert.Equal(t, want.Value, f.Measured.Final)
	assert.Equal(t, len(edges), f.EdgesKept)

	status, _, text = x.do("POST", "/"+x.token+"/save", question, nil)
	assert.Equal(t, 200, status)
	assert.Equal(t, `{"edges":40}`, text)
	require.Len(t, saved, 1)
	assert.Equal(t, want.Value, saved[0].Measured.Final)
	status, _, text = x.do("POST", "/"+x.token+"/save", question, nil)
	assert.Equal(t, 500, status)
	assert.Equal(t, `{"error":"c.json: no space left"}`, text)
}

// Questions are bounded and checked, and none of them stops the server.
func TestServeBoundsQuestions(t *testing.T) {
	s := opened(t, study.Spec{Task: "or_gate"})
	x := serveTest(t, s, Options{}, usual)
	for _, c := range []struct {
		path, body string
		status     int
		why        string
	}{
		{"measure", `{"edges":[` + strings.Repeat("0,", 1<<20) + "0]}", 413, "at most"},
		{"measure", `{"edges":[0,0]}`, 400, "found 0 twice"},
		{"measure", `{"edges":[0.5]}`, 400, "question"},
		{"measure", `{"edges":["0"]}`, 400, "question"},
		{"measure", `[`, 400, "question"},
		{"measure", ``, 400, "question"},
		{"measure", strings.Repeat("[", 4000), 400, "question"},
		{"circuit", `{"edges":[-1]}`, 400, "found -1"},
		{"save", `{"edges":[0]}`, 400, "expected acdc view -o FILE"},
	} {
		status, _, text := x.do("POST", "/"+x.token+"/"+c.path, c.body, nil)
		assert.Equal(t, c.status, status, "%s %.40s", c.path, c.body)
		assert.Contains(t, text, c.why)
		assert.True(t, json.Valid([]byte(text)))
	}
	status, text := x.ask([]int{0})
	assert.Equal(t, 200, status, text)
}

// connect opens a connection and sends some text.
func (x *served) connect(text string) net.Conn {
	c, err := net.Dial("tcp", x.host)
	require.NoError(x.t, err)
	x.t.Cleanup(func() { _ = c.Close() })
	_, err = io.WriteString(c, text)
	require.NoError(x.t, err)
	return c
}

// Who sends nothing, half a header or half a question is left, and does not hold
// the engine; who asks in time may wait as long as the answer takes.
func TestServeLeavesSlowClients(t *testing.T) {
	s := opened(t, study.Spec{Task: "or_gate"})
	p := patience{header: 50 * time.Millisecond, read: 100 * time.Millisecond, write: time.Second, idle: 50 * time.Millisecond}
	x := serveTest(t, s, Options{}, p)
	head := fmt.Sprintf("POST /%s/measure HTTP/1.1\r\nHost: %s\r\nContent-Type: application/json\r\n", x.token, x.host)
	for _, text := range []string{"", "GET /", head + "Content-Length: 100\r\n\r\n{\"edges\":["} {
		c := x.connect(text)
		require.NoError(t, c.SetReadDeadline(time.Now().Add(20*time.Second)))
		_, err := io.Copy(io.Discard, c)
		assert.NoError(t, err, "%q: the server ends the connection", text)
	}
	release, err := s.take(t.Context())
	require.NoError(t, err)
	c := x.connect(head + "Content-Length: 13\r\n\r\n{\"edges\":[0]}")
	time.Sleep(3 * p.read) // longer than a request may take to come
	release()
	res, err := http.ReadResponse(bufio.NewReader(c), nil)
	require.NoError(t, err)
	defer res.Body.Close()
	assert.Equal(t, 200, res.StatusCode)
}

// A page that is closed while a run goes on frees the engine within a second, as
// does the end of the server.
func TestClosedPageFreesTheEngine(t *testing.T) {
	s := opened(t, study.Spec{Model: "random:4x16x64x64x50", Data: "random:120x50"})
	x := serveTest(t, s, Options{}, usual)
	q, err := json.Marshal(Question{Edges: s.Start()})
	require.NoError(t, err)
	text := fmt.Sprintf("POST /%s/measure HTTP/1.1\r\nHost: %s\r\nContent-Type: application/json\r\nContent-Length: %d\r\n\r\n%s", x.token, x.host, len(q), q)
	busy := func() bool { return len(s.engine) == 1 }
	free := func() bool { return len(s.engine) == 0 }

	c := x.connect(text)
	require.Eventually(t, busy, 10*time.Second, time.Millisecond)
	require.NoError(t, c.Close())
	start := time.Now()
	require.Eventually(t, free, 10*time.Second, time.Millisecond)
	t.Logf("free %v after the page was closed", time.Since(start))
	assert.Less(t, time.Since(start), time.Second)

	x.connect(text)
	require.Eventually(t, busy, 10*time.Second, time.Millisecond)
	start = time.Now()
	x.end()
	err = <-x.ended
	assert.ErrorIs(t, err, context.Canceled)
	assert.Less(t, time.Since(start), time.Second)
	x.ended <- err
}

// A port that is taken says so in one line.
func TestListenSaysWhatIsTaken(t *testing.T) {
	l, err := Listen(0)
	require.NoError(t, err)
	defer l.Close()
	_, err = Listen(l.Addr().(*net.TCPAddr).Port)
	assert.ErrorContains(t, err, "of 127.0.0.1: expected one that is free, found: ")
	assert.Equal(t, "http://"+l.Addr().String()+"/abc/", Address(l, "abc"))
}
