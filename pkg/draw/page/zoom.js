// zoom.js: panning and zooming, by d3-zoom. The picture is a layer of its own that
// the browser moves without painting it again; only where the scale has changed is
// it painted anew, in the end.
// ---
export function createZoom(stage, world, state, size) {
  let painted = 1, timer = 0;
  const behaviour = d3.zoom().scaleExtent([0.05, 8]).clickDistance(6).on("zoom", event => {
    const { k, x, y } = event.transform;
    world.style.transform = `translate(${x}px, ${y}px) scale(${k})`;
    state.set("zoom", { k, x, y });
    if (k !== painted) {
      clearTimeout(timer);
      timer = setTimeout(sharpen, 120);
    }
  });
  const selection = d3.select(stage).call(behaviour).on("dblclick.zoom", null);

  // sharpen has the picture painted at the scale that it now has.
  function sharpen() {
    painted = state.get("zoom").k;
    world.style.willChange = "auto";
    requestAnimationFrame(() => { world.style.willChange = "transform"; });
  }
  function to(k, x, y) {
    selection.call(behaviour.transform, d3.zoomIdentity.translate(x, y).scale(k));
  }
  // fit shows all of the picture, or the upper part of one that is too long to be
  // read as a whole.
  function fit() {
    const { width, height } = size();
    const w = stage.clientWidth, h = stage.clientHeight;
    if (w === 0 || h === 0) return;
    const whole = Math.min(w / (width + 70), h / (height + 50), 1.6);
    const k = Math.max(whole, Math.min(w / (width + 70), 0.5));
    to(k, (w - width * k) / 2 + 20 * k, Math.max(12, (h - height * k) / 2));
  }
  // center brings a place of the picture to the middle, at a scale at which names
  // can be read.
  function center([x, y]) {
    const k = Math.max(state.get("zoom").k, 0.8);
    to(k, stage.clientWidth / 2 - x * k, stage.clientHeight / 2 - y * k);
  }
  const by = factor => selection.call(behaviour.scaleBy, factor);
  const pan = (x, y) => selection.call(behaviour.translateBy, x / state.get("zoom").k, y / state.get("zoom").k);
  return { fit, center, by, pan };
}
