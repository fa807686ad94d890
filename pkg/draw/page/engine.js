// engine.js: asks acdc view what a set of edges does. The newest question counts:
// an older one is called off, so that its work ends.
// ---

// createEngine makes ask(question, answered, failed), and post(path, question),
// which promises the response. Addresses are relative to the page's own, which
// has the token.
export function createEngine() {
  let asked = null;

  async function post(path, question, signal) {
    const response = await fetch(path, { method: "POST", headers: { "Content-Type": "application/json" }, body: JSON.stringify(question), signal });
    if (!response.ok) {
      const text = await response.json().then(e => e.error, () => response.statusText);
      throw new Error(text);
    }
    return response;
  }
  async function ask(question, answered, failed) {
    asked?.abort();
    const own = asked = new AbortController();
    try {
      const answer = await (await post("measure", question, own.signal)).json();
      if (own === asked) answered(answer);
    } catch (error) {
      if (own === asked) failed(spoken(error));
    }
  }
  return { ask, post, leave: () => asked?.abort() };
}

// spoken is an error as people read it.
export function spoken(error) {
  return error instanceof TypeError ? "the engine does not answer: acdc view has ended" : error.message;
}
