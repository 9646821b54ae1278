// What the pages of reports use of Observable Plot and d3; all else is left out of the bundle.
export {
  areaY, axisX, axisY, cell, dot, line, link, plot, pointer, ruleX, ruleY, text, tip,
} from "@observablehq/plot";
export { extent, interpolateRgbBasis, scaleLinear } from "d3";
