// Points by WebGL 2: one vertex a point, positions sent once, codes and states replaced as bytes.

const VERTEX = `#version 300 es
in vec2 place;
in uint code;
in uint state;  // 1 chosen, 2 hidden, 4 dimmed
uniform vec2 center;
uniform vec2 scale;
uniform float size;
uniform float opacity;
uniform bool choosing;
uniform int layer;  // 0 all, 1 what is not chosen, 2 what is chosen
uniform vec4 context;
uniform highp sampler2D palette;
out vec4 color;
void main() {
  bool chosen = (state & 1u) != 0u;
  bool away = (state & 2u) != 0u || (layer == 1 && chosen) || (layer == 2 && !chosen);
  gl_Position = away ? vec4(2.0, 2.0, 2.0, 1.0) : vec4((place - center) * scale, 0.0, 1.0);
  vec4 own = texelFetch(palette, ivec2(int(code & 255u), int(code >> 8)), 0);
  bool grey = (choosing && !chosen) || (state & 4u) != 0u;
  color = grey ? context : vec4(own.rgb, own.a * opacity);
  gl_PointSize = layer == 2 ? size * 1.25 + 1.0 : size;
}`;

const FRAGMENT = `#version 300 es
precision highp float;
in vec4 color;
uniform float size;
out vec4 shade;
void main() {
  float far = length(gl_PointCoord - 0.5) * 2.0;
  float edge = 1.0 - smoothstep(1.0 - 2.0 / max(size, 2.0), 1.0, far);
  float alpha = color.a * (size < 2.5 ? 1.0 : edge);
  if (alpha < 0.004) discard;
  shade = vec4(color.rgb * alpha, alpha);
}`;

export const CHOSEN = 1;
export const HIDDEN = 2;
export const DIMMED = 4;
const MOVING_POINTS = 100000;

/** Draws on a canvas. Throws Error("no WebGL 2") where the browser has none. */
export class Drawing {
  constructor(canvas) {
    this.canvas = canvas;
    const options = { antialias: false, alpha: true, premultipliedAlpha: true, depth: false };
    const gl = canvas.getContext("webgl2", options);
    if (!gl) throw new Error("no WebGL 2");
    this.gl = gl;
    this.n = 0;
    this.build();
  }

  /** Everything the graphics card holds; again after it lost it. */
  build() {
    const gl = this.gl;
    const program = link(gl);
    gl.useProgram(program);
    this.at = {};
    for (const name of ["center", "scale", "size", "opacity", "choosing", "layer", "context",
      "palette"]) this.at[name] = gl.getUniformLocation(program, name);
    gl.bindVertexArray(gl.createVertexArray());
    this.buffers = {};
    for (const [name, size, type, whole] of [["place", 2, gl.FLOAT, false],
      ["code", 1, gl.UNSIGNED_SHORT, true], ["state", 1, gl.UNSIGNED_BYTE, true]]) {
      const where = gl.getAttribLocation(program, name);
      this.buffers[name] = gl.createBuffer();
      gl.bindBuffer(gl.ARRAY_BUFFER, this.buffers[name]);
      gl.enableVertexAttribArray(where);
      if (whole) gl.vertexAttribIPointer(where, size, type, 0, 0);
      else gl.vertexAttribPointer(where, size, type, false, 0, 0);
    }
    this.order = gl.createBuffer();
    gl.bindBuffer(gl.ELEMENT_ARRAY_BUFFER, this.order);
    this.texture = gl.createTexture();
    gl.bindTexture(gl.TEXTURE_2D, this.texture);
    for (const side of [gl.TEXTURE_MIN_FILTER, gl.TEXTURE_MAG_FILTER]) {
      gl.texParameteri(gl.TEXTURE_2D, side, gl.NEAREST);
    }
    gl.enable(gl.BLEND);
    gl.blendFunc(gl.ONE, gl.ONE_MINUS_SRC_ALPHA);
  }

  setPoints(points) {
    this.n = points.length / 2;
    this.fill("place", points, this.gl.STATIC_DRAW);
  }

  setCodes(codes, order) {
    const gl = this.gl;
    this.fill("code", codes, gl.STATIC_DRAW);
    // Behind the whole order a part of it, every k-th point, to draw while the view moves.
    const stride = Math.max(1, Math.ceil(order.length / MOVING_POINTS));
    this.few = Math.ceil(order.length / stride);
    const both = new Uint32Array(order.length + (stride > 1 ? this.few : 0));
    both.set(order);
    if (stride > 1) {
      for (let i = 0, at = order.length; i < order.length; i += stride) both[at++] = order[i];
    }
    this.stride = stride;
    gl.bindBuffer(gl.ELEMENT_ARRAY_BUFFER, this.order);
    gl.bufferData(gl.ELEMENT_ARRAY_BUFFER, both, gl.STATIC_DRAW);
  }

  setStates(states) {
    this.fill("state", states, this.gl.DYNAMIC_DRAW);
  }

  /** Colours as RGBA bytes, one for each code. */
  setPalette(colors) {
    const gl = this.gl;
    const rows = Math.max(1, Math.ceil(colors.length / 4 / 256));
    const bytes = new Uint8Array(rows * 256 * 4);
    bytes.set(colors);
    gl.bindTexture(gl.TEXTURE_2D, this.texture);
    gl.texImage2D(gl.TEXTURE_2D, 0, gl.RGBA, 256, rows, 0, gl.RGBA, gl.UNSIGNED_BYTE, bytes);
  }

  /** `view` has center [x, y] and scale [x, y] to clip space; `look` size (device pixels), opacity,
   * context (RGBA 0..1), choosing, moving. */
  draw(view, look) {
    const gl = this.gl;
    if (gl.isContextLost()) return;
    gl.viewport(0, 0, this.canvas.width, this.canvas.height);
    gl.clearColor(0, 0, 0, 0);
    gl.clear(gl.COLOR_BUFFER_BIT);
    if (!this.n || !this.few) return;
    gl.uniform2fv(this.at.center, view.center);
    gl.uniform2fv(this.at.scale, view.scale);
    gl.uniform1f(this.at.size, look.size);
    gl.uniform1f(this.at.opacity, look.opacity);
    gl.uniform4fv(this.at.context, look.context);
    gl.uniform1i(this.at.choosing, look.choosing ? 1 : 0);
    gl.uniform1i(this.at.palette, 0);
    const few = look.moving && this.stride > 1;
    for (const layer of look.choosing ? [1, 2] : [0]) {
      gl.uniform1i(this.at.layer, layer);
      gl.drawElements(gl.POINTS, few ? this.few : this.n, gl.UNSIGNED_INT, few ? 4 * this.n : 0);
    }
  }

  fill(name, values, usage) {
    const gl = this.gl;
    gl.bindBuffer(gl.ARRAY_BUFFER, this.buffers[name]);
    gl.bufferData(gl.ARRAY_BUFFER, values, usage);
  }

  /** Give the memory back now: browsers keep few contexts. */
  end() {
    this.gl.getExtension("WEBGL_lose_context")?.loseContext();
  }
}

function link(gl) {
  const program = gl.createProgram();
  for (const [kind, source] of [[gl.VERTEX_SHADER, VERTEX], [gl.FRAGMENT_SHADER, FRAGMENT]]) {
    const shader = gl.createShader(kind);
    gl.shaderSource(shader, source);
    gl.compileShader(shader);
    gl.attachShader(program, shader);
  }
  gl.linkProgram(program);
  if (!gl.getProgramParameter(program, gl.LINK_STATUS)) {
    throw new Error(`the shaders do not link: ${gl.getProgramInfoLog(program)}`);
  }
  return program;
}
