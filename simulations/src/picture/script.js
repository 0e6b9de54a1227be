"use strict";
// Draws DATA, see the module picture in the simulator. One canvas, redrawn as a whole; what can be
// clicked is kept as rectangles with what they stand for.

const COLOURS = {
  together: "#bfe3c8", partial: "#ffe08a", alone: "#ffbd80", stop: "#e0566a", down: "#d4d8e0",
  leader: "#2f6fde", sale: "#1d2330", unshared: "#b04a00", fault: "#7a5cc9", cut: "#c0182b",
  wan: "#7a5cc9", bad: "#c0182b",
};
const WORDS = {
  together: "together (a quorum agrees)", partial: "partial (too few to agree)",
  alone: "alone", stop: "stopped", down: "not running",
};
const FAULTS = {
  "split": "The network falls into two groups that do not hear each other.",
  "alone-all": "No lane hears any other.",
  "one-way": "One direction between two lanes carries nothing.",
  "cut": "A lane hears nobody and is heard by nobody.",
  "crash": "The lane's process is killed, and started again at the end.",
  "power-cut-all": "Every lane loses its power at once.",
  "crash-midway": "The lane's process is killed in the middle of what it does, and started again at the end.",
  "power-cut": "The lane loses its power, and what its disk had not made durable.",
  "freeze": "The lane's process stands still, and goes on as if nothing had been.",
  "slow-disk": "The lane's disk takes its time over every sync.",
  "power-cut-torn": "The lane loses its power while it writes: what its disk had not made durable is torn.",
  "disk-errors": "Some of what the lane asks of its disk fails.",
  "disk-full": "The lane's disk has no room.",
  "bit-rot": "A bit of the store's state flipped on the lane's disk.",
  "slow-start": "The lane's process is killed, and the next one takes its time to start.",
  "suspend": "The lane's machine sleeps, and wakes up.",
  "slow-link": "Frames between two lanes take their time.",
  "narrow-link": "The line between two lanes carries little.",
  "lossy-link": "Frames between two lanes are lost and sent again.",
  "restart": "The lane is closed in good order and started again.",
  "rolling-restart": "The lane is closed in good order, in its turn, and started again.",
  "wan-down": "Head office cannot be reached.",
  "hq-crash": "Head office's process dies, and is started again at the end.",
  "hq-late": "Head office answers late.",
  "hq-publishes": "Head office publishes new prices.",
  "clock-drift": "The lane's wall clock runs too fast or too slow.",
  "wrong-day": "Head office's wall clock is a day off.",
  "clock-jump": "The lane's wall clock is set to another time.",
  "join": "A new lane joins, invited by this one.",
  "new-prices": "A manager changes prices at this lane.",
};
const LEFT = 92, RIGHT = 14, AXIS = 26, ROW = 54, BAND = 20;

const marks = DATA.marks;
const lanes = Object.keys(marks.samples).sort((a, b) => number(a) - number(b));
const end = Math.max(1, DATA.report.virtual_ms);
const canvas = document.getElementById("canvas"), pen = canvas.getContext("2d");
let from = 0, to = end, hits = [], picked = null, width = 0;

function number(lane) { return Number(lane.replace(/\D/g, "")) || 0; }
function row(laneNumber) { return lanes.findIndex((lane) => number(lane) === laneNumber); }
function $(id) { return document.getElementById(id); }
function element(tag, text, cls) {
  const made = document.createElement(tag);
  if (text !== undefined) made.textContent = text;
  if (cls) made.className = cls;
  return made;
}
function seconds(ms) { return (ms / 1000).toFixed(3) + " s"; }
function clock(ms) {
  if (DATA.opens_min === null || DATA.opens_min === undefined) return "";
  const story = DATA.opens_min * 60 + Math.max(0, ms - marks.opened_ms) * DATA.faster / 1000;
  const pad = (n) => String(Math.floor(n)).padStart(2, "0");
  return pad(story / 3600 % 24) + ":" + pad(story / 60 % 60);
}
function when(ms) { return seconds(ms) + (clock(ms) ? " (" + clock(ms) + " in the story)" : ""); }
function x(ms) { return LEFT + (ms - from) / (to - from) * (width - LEFT - RIGHT); }
function at(px) { return from + (px - LEFT) / (width - LEFT - RIGHT) * (to - from); }

// Faults that hit the network or the WAN lie in bands above the lanes, packed so that none overlap.
const bands = [];
const banded = marks.strikes.filter((strike) => strike.links.length || !strike.lanes.length);
for (const strike of banded) {
  const strikeEnd = strike.to_ms ?? end;
  let band = bands.findIndex((free) => free <= strike.from_ms);
  if (band < 0) band = bands.push(0) - 1;
  bands[band] = strikeEnd;
  strike.band = band;
}
const top0 = AXIS + bands.length * BAND + 8;
const height = top0 + lanes.length * ROW + 40;

function hit(left, top, w, h, what) { hits.push({ left, top, w: Math.max(w, 5), h, what }); }

function draw() {
  width = canvas.parentElement.clientWidth;
  const scale = window.devicePixelRatio || 1;
  canvas.width = width * scale; canvas.height = height * scale;
  canvas.style.height = height + "px";
  pen.setTransform(scale, 0, 0, scale, 0, 0);
  pen.clearRect(0, 0, width, height);
  pen.font = "12px system-ui, sans-serif"; pen.textBaseline = "middle";
  hits = [];
  drawAxis();
  lanes.forEach(drawLane);
  pen.save(); pen.beginPath(); pen.rect(LEFT, 0, width - LEFT - RIGHT, height); pen.clip();
  marks.strikes.forEach(drawStrike);
  drawMoment(marks.opened_ms, "opens");
  if (marks.calm_ms) drawMoment(marks.calm_ms, "faults over");
  DATA.report.violations.forEach(drawViolation);
  if (picked && picked.at !== undefined) {
    pen.strokeStyle = "#e0a800"; pen.lineWidth = 2;
    line(x(picked.at), AXIS, x(picked.at), height);
  }
  pen.restore();
}

function line(x1, y1, x2, y2) { pen.beginPath(); pen.moveTo(x1, y1); pen.lineTo(x2, y2); pen.stroke(); }

function drawAxis() {
  const steps = [50, 100, 250, 500, 1000, 2000, 5000, 10000, 15000, 30000, 60000, 120000, 300000, 600000, 1800000, 3600000];
  const step = steps.find((s) => x(from + s) - LEFT > 90) || 7200000;
  pen.lineWidth = 1;
  for (let ms = Math.ceil(from / step) * step; ms <= to; ms += step) {
    pen.strokeStyle = "#eceff4"; line(x(ms), AXIS, x(ms), height);
    pen.fillStyle = "#667085"; pen.textAlign = "center";
    const text = step < 1000 ? (ms / 1000).toFixed(2) + " s" : ms / 1000 + " s";
    pen.fillText(clock(ms) ? text + " · " + clock(ms) : text, x(ms), AXIS / 2);
  }
  pen.textAlign = "left"; pen.fillStyle = "#667085";
  if (bands.length) pen.fillText("network, WAN", 6, AXIS + BAND / 2);
}

function drawLane(lane, index) {
  const top = top0 + index * ROW, samples = marks.samples[lane];
  pen.fillStyle = "#1d2330"; pen.textAlign = "left";
  pen.font = "600 13px system-ui, sans-serif"; pen.fillText(lane, 6, top + 16);
  pen.font = "12px system-ui, sans-serif"; pen.fillStyle = "#667085";
  const sold = marks.sales.filter((sale) => sale.lane === lane);
  pen.fillText(sold.length + " sales", 6, top + 34);
  pen.save(); pen.beginPath(); pen.rect(LEFT, top, width - LEFT - RIGHT, ROW); pen.clip();
  let most = 1;
  for (const list of Object.values(marks.samples)) for (const [, s] of list) most = Math.max(most, s.unshared_entries);
  samples.forEach(([ms, sample], i) => {
    const until = i + 1 < samples.length ? samples[i + 1][0] : end;
    if (until < from || ms > to) return;
    const left = x(ms), w = Math.max(1, x(until) - left);
    pen.fillStyle = COLOURS[sample.mode]; pen.fillRect(left, top + 4, w, 26);
    if (sample.mode === "down") {
      pen.fillStyle = "#9aa3b2";
      for (let stripe = left - left % 8; stripe < left + w; stripe += 8) pen.fillRect(Math.max(stripe, left), top + 4, 2, 26);
    }
    if (sample.leads) { pen.fillStyle = COLOURS.leader; pen.fillRect(left, top + 4, w, 5); }
    const tall = sample.unshared_entries / most * 14;
    if (tall > 0) { pen.fillStyle = COLOURS.unshared; pen.fillRect(left, top + 46 - Math.max(1, tall), w, Math.max(1, tall)); }
    hit(left, top + 4, w, 42, { kind: "sample", lane, at: ms, until, sample });
  });
  pen.fillStyle = COLOURS.sale;
  for (const sale of sold) {
    if (sale.at_ms < from || sale.at_ms > to) continue;
    pen.fillRect(x(sale.at_ms) - 1, top + 14, 2, 12);
    hit(x(sale.at_ms) - 3, top + 12, 6, 16, { kind: "sale", at: sale.at_ms, sale });
  }
  pen.restore();
  pen.strokeStyle = "#d9dee7"; line(0, top + ROW - 3, width, top + ROW - 3);
}

function drawStrike(strike) {
  const until = strike.to_ms ?? end, left = x(strike.from_ms), w = Math.max(3, x(until) - left);
  if (until < from || strike.from_ms > to) return;
  const what = { kind: "strike", at: strike.from_ms, strike };
  if (strike.band !== undefined) {
    const top = AXIS + strike.band * BAND + 2, colour = strike.links.length ? COLOURS.cut : COLOURS.wan;
    pen.fillStyle = colour + "33"; pen.fillRect(left, top, w, BAND - 4);
    pen.strokeStyle = colour; pen.strokeRect(left, top, w, BAND - 4);
    pen.fillStyle = colour; pen.textAlign = "left";
    const links = strike.links.length ? " " + linkWords(strike.links) : "";
    pen.save(); pen.beginPath(); pen.rect(left, top, w, BAND - 4); pen.clip();
    pen.fillText(strike.what + links, Math.max(left, LEFT) + 4, top + BAND / 2 - 2); pen.restore();
    hit(left, top, w, BAND - 4, what);
    return;
  }
  for (const lane of strike.lanes) {
    const index = row(lane);
    if (index < 0) continue;
    const top = top0 + index * ROW + 31;
    pen.fillStyle = COLOURS.fault; pen.fillRect(left, top, w, 4);
    pen.beginPath(); pen.moveTo(left - 5, top + 14); pen.lineTo(left + 5, top + 14); pen.lineTo(left, top + 4); pen.fill();
    if (w > 46) { pen.textAlign = "left"; pen.fillText(strike.what, left + 8, top + 11); }
    hit(left - 6, top - 1, w + 8, 16, what);
  }
}

function linkWords(links) {
  const set = new Set(links.map(([a, b]) => a + ">" + b));
  const both = [], one = [];
  for (const [a, b] of links) {
    if (set.has(b + ">" + a)) { if (a < b) both.push(a + "↮" + b); } else one.push(a + "↛" + b);
  }
  return both.concat(one).join(" ");
}

function drawMoment(ms, text) {
  pen.strokeStyle = "#667085"; pen.setLineDash([4, 4]); line(x(ms), AXIS, x(ms), height - 22); pen.setLineDash([]);
  pen.fillStyle = "#667085"; pen.textAlign = x(ms) < LEFT + 40 ? "left" : "center"; pen.fillText(text, x(ms), height - 12);
}

function drawViolation(violation, index) {
  const left = x(violation.at_ms), lane = lanes.indexOf(violation.who);
  pen.strokeStyle = COLOURS.bad; pen.lineWidth = 1.5; line(left, AXIS, left, height - 22); pen.lineWidth = 1;
  const top = lane < 0 ? height - 30 : top0 + lane * ROW + 17;
  pen.fillStyle = COLOURS.bad; pen.beginPath(); pen.arc(left, top, 7, 0, 7); pen.fill();
  pen.fillStyle = "#fff"; pen.textAlign = "center"; pen.fillText("!", left, top);
  hit(left - 8, top - 8, 16, 16, { kind: "violation", at: violation.at_ms, violation });
}

function show(what) {
  picked = what; draw(); nearLines(what.at);
  const shown = $("shown"); shown.replaceChildren();
  const title = (text) => shown.append(element("strong", text));
  const say = (text) => shown.append(element("p", text));
  const list = (pairs) => {
    const made = element("dl");
    for (const [name, value] of pairs) {
      if (value === undefined || value === null || value === "") continue;
      made.append(element("dt", name), element("dd", String(value)));
    }
    shown.append(made);
  };
  if (what.kind === "violation") {
    const v = what.violation, check = DATA.checks[v.check];
    title("Broken: " + v.check + " (" + check.promise + ")");
    say("What must hold: " + check.about + ".");
    list([["seen", when(v.at_ms)], ["at", v.who], ["what was seen", v.what]]);
    const going = marks.strikes.filter((s) => s.from_ms <= v.at_ms && (s.to_ms ?? end) >= v.at_ms - 2000);
    if (going.length) {
      say("Going on then, or just before:");
      for (const strike of going) linkTo(strikeTitle(strike), { kind: "strike", at: strike.from_ms, strike });
    }
    say("How every lane stood:");
    for (const lane of lanes) {
      const [ms, sample] = sampleAt(lane, v.at_ms) || [];
      if (sample) linkTo(lane + ": " + WORDS[sample.mode] + (sample.leads ? ", leads term " + sample.term : "") +
        (sample.unshared_sales ? ", " + sample.unshared_sales + " sales not shared" : ""), { kind: "sample", lane, at: ms, sample });
    }
  } else if (what.kind === "strike") {
    const s = what.strike;
    title(s.what); say(FAULTS[s.what] || "");
    list([["from", when(s.from_ms)], ["to", s.to_ms === null ? "the end of the run" : when(s.to_ms)],
      ["lasts", s.to_ms === null ? "" : seconds(s.to_ms - s.from_ms)], ["lanes", s.lanes.map((n) => "lane-" + n).join(", ")],
      ["cut", s.links.length ? linkWords(s.links) + " (↮ both ways, ↛ one way)" : ""],
      ["clock set by", s.by_ms === null ? "" : s.by_ms + " ms"]]);
  } else if (what.kind === "sale") {
    const s = what.sale;
    title("Sale " + s.receipt);
    list([["printed", when(s.at_ms)], ["lane", s.lane], ["lines", s.lines], ["total", s.total]]);
  } else {
    const s = what.sample;
    title(what.lane + ": " + WORDS[s.mode]);
    list([["from", when(what.at)], ["to", what.until === undefined ? "" : when(what.until)],
      ["term", s.term], ["leads", s.leads ? "yes" : "no"], ["applied up to", s.applied],
      ["sales not shared yet", s.unshared_sales], ["entries not applied yet", s.unshared_entries],
      ["entries that head office lacks", s.hq_lag]]);
  }
  function linkTo(text, target) {
    const link = element("a", text), item = element("div");
    link.onclick = () => show(target); item.append(link); shown.append(item);
  }
}

function strikeTitle(strike) {
  return strike.what + " " + (strike.links.length ? linkWords(strike.links) : strike.lanes.map((n) => "lane-" + n).join(", "));
}

function sampleAt(lane, ms) {
  let found = null;
  for (const entry of marks.samples[lane]) { if (entry[0] > ms) break; found = entry; }
  return found;
}

function nearLines(ms) {
  let first = null;
  for (const item of $("lines").children) {
    const near = Math.abs(Number(item.dataset.at) - ms) < 1500;
    item.classList.toggle("near", near);
    if (near && !first && !item.hidden) first = item;
  }
  if (first) $("lines").scrollTop = first.offsetTop - $("lines").offsetTop - 60;
}

function zoom(factor, px) {
  const middle = at(px), span = Math.min(end, Math.max(20, (to - from) * factor));
  from = Math.max(0, middle - (px - LEFT) / (width - LEFT - RIGHT) * span);
  to = Math.min(end, from + span); from = Math.max(0, to - span);
  draw();
}

function listen() {
  const box = $("chart"); let drag = null;
  box.addEventListener("wheel", (event) => { event.preventDefault(); zoom(event.deltaY > 0 ? 1.25 : 0.8, event.offsetX); }, { passive: false });
  box.onmousedown = (event) => { drag = { px: event.clientX, from, to, moved: false }; };
  window.addEventListener("mousemove", (event) => {
    if (!drag) return;
    const by = (drag.px - event.clientX) / (width - LEFT - RIGHT) * (drag.to - drag.from);
    if (Math.abs(drag.px - event.clientX) > 3) drag.moved = true;
    const span = drag.to - drag.from;
    from = Math.min(Math.max(0, drag.from + by), end - span); to = from + span;
    draw();
  });
  window.addEventListener("mouseup", (event) => {
    if (drag && !drag.moved) pick(event);
    drag = null;
  });
  box.onkeydown = (event) => {
    const span = to - from, step = { ArrowLeft: -0.2, ArrowRight: 0.2 }[event.key];
    if (step) { from = Math.min(Math.max(0, from + step * span), end - span); to = from + span; draw(); }
    if (event.key === "+") zoom(0.7, width / 2);
    if (event.key === "-") zoom(1.4, width / 2);
  };
  $("all").onclick = () => { from = 0; to = end; draw(); };
  $("in").onclick = () => zoom(0.5, width / 2);
  $("out").onclick = () => zoom(2, width / 2);
  $("find").oninput = () => {
    const text = $("find").value.toLowerCase();
    for (const item of $("lines").children) item.hidden = !item.textContent.toLowerCase().includes(text);
  };
  window.addEventListener("resize", draw);
}

function pick(event) {
  const box = canvas.getBoundingClientRect(), px = event.clientX - box.left, py = event.clientY - box.top;
  const under = hits.filter((h) => px >= h.left && px <= h.left + h.w && py >= h.top && py <= h.top + h.h);
  if (under.length) show(under[under.length - 1].what);
}

function begin() {
  const report = DATA.report;
  document.title = DATA.scenario + " " + DATA.seed;
  $("title").textContent = DATA.scenario + ", seed " + DATA.seed;
  $("about").textContent = DATA.about;
  const settled = report.settled_after_ms === null ? "did not come to rest" : "at rest " + seconds(report.settled_after_ms) + " after the last fault";
  $("sums").textContent = lanes.length + " lanes, " + report.sales + " sales, " + report.kills + " kills, " +
    seconds(report.virtual_ms) + " of virtual time" + (DATA.faster > 1 ? " (" + DATA.faster + " times faster than the story)" : "") + ", " + settled + ".";
  const verdict = $("verdict");
  if (report.violations.length) {
    verdict.className = "bad";
    const words = report.violations.length === 1 ? "A promise was broken." : report.violations.length + " times a promise was broken; the first one matters most.";
    verdict.append(element("strong", words));
    const items = element("ul");
    for (const violation of report.violations.slice(0, 8)) {
      const item = element("li"), link = element("a", violation.check + ", " + violation.who + ", " + seconds(violation.at_ms));
      link.onclick = () => {
        const span = Math.min(end, 20000);
        from = Math.min(Math.max(0, violation.at_ms - span / 2), end - span); to = from + span;
        show({ kind: "violation", at: violation.at_ms, violation });
      };
      item.append(link, document.createTextNode(": " + DATA.checks[violation.check].about + ". Seen: " + violation.what.slice(0, 300)));
      items.append(item);
    }
    const again = element("p"); again.append("Run it again: ", element("code", DATA.replay));
    verdict.append(items, again);
  } else {
    verdict.append(element("strong", "Every promise held."), " " + Object.keys(DATA.checks).length + " checks looked; nothing was lost, and nothing counted twice.");
  }
  for (const [name, colour] of [["together", COLOURS.together], ["partial", COLOURS.partial], ["alone", COLOURS.alone],
    ["not running", COLOURS.down], ["leads", COLOURS.leader], ["sale", COLOURS.sale], ["entries not shared", COLOURS.unshared],
    ["fault", COLOURS.fault], ["links cut, violation", COLOURS.bad]]) {
    const item = element("span"), swatch = element("i"); swatch.style.background = colour;
    item.append(swatch, name); $("legend").append(item);
  }
  for (const happening of DATA.happenings) {
    const text = seconds(happening.at_ms).padStart(11) + "  " + happening.who.padEnd(8) + "  " + happening.what;
    const item = element("li", text, happening.what.startsWith("VIOLATION") ? "bad" : "");
    item.dataset.at = happening.at_ms;
    item.onclick = () => { picked = { at: happening.at_ms }; draw(); nearLines(happening.at_ms); };
    $("lines").append(item);
  }
  listen(); draw();
  const [first] = report.violations;
  if (first) show({ kind: "violation", at: first.at_ms, violation: first });
}
begin();
