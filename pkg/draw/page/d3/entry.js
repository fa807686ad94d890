// What the page uses of d3: see README.
export { zoom, zoomIdentity, zoomTransform } from "d3-zoom";
export { select } from "d3-selection";
