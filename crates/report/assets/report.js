// Draws the charts from the page's JSON and makes the trade table sortable. Everything else is readable without it.
(() => {
  "use strict";

  const byId = (id) => document.getElementById(id);
  const report = JSON.parse(byId("report-data").textContent);
  const root = document.documentElement;
  const DAY = 86400;
  const YEAR = 365.25 * DAY;

  const color = (name) => getComputedStyle(root).getPropertyValue(name).trim();
  const formatter = (options) => {
    const format = new Intl.NumberFormat("en-US", options);
    return (value) => (value == null ? "n/a" : format.format(value));
  };
  const money = formatter({ minimumFractionDigits: 2, maximumFractionDigits: 2 });
  const moneyShort = formatter({ notation: "compact", maximumSignificantDigits: 4 });
  const percent = formatter({ style: "percent", minimumFractionDigits: 2, maximumFractionDigits: 2 });
  const percentShort = formatter({ style: "percent", maximumFractionDigits: 1 });
  const loss = formatter({ maximumSignificantDigits: 5 });
  const isDaily = report.equity.time.every((time) => time % DAY === 0);
  const dateText = (time) => new Date(time * 1000).toISOString().replace("T", " ").slice(0, isDaily ? 10 : 16);

  // Without a cursor the legend shows the last value, so that it is never empty.
  const shown = (format) => (plot, value, series, index) => {
    if (index != null) return format(value);
    return format(plot.data[series][plot.data[series].length - 1]);
  };

  const axis = (more) => ({
    stroke: color("--quiet"),
    grid: { stroke: color("--grid"), width: 1 },
    ticks: { show: false },
    font: "12px system-ui, sans-serif",
    ...more,
  });
  const valueAxis = (format, more) => axis({ size: 62, values: (_, splits) => splits.map((v) => (v == null ? "" : format(v))), ...more });
  const strategySeries = (label, format, more) => ({ label, stroke: color("--strategy"), width: 1.75, points: { show: false }, value: shown(format), ...more });
  const benchmarkSeries = (format) => ({
    label: report.benchmark_name || "Benchmark",
    stroke: color("--benchmark"),
    width: 1.25,
    dash: [6, 3],
    points: { show: false },
    value: shown(format),
  });

  // Round numbers that are about evenly spaced on a logarithmic axis.
  const MANTISSAS = [[1, 1.2, 1.4, 1.6, 1.8, 2, 2.5, 3, 3.5, 4, 5, 6, 7, 8, 9], [1, 1.5, 2, 3, 4, 5, 7], [1, 2, 5], [1]];
  const logSplits = (plot, _, min, max, step, space, isForced) => {
    for (const mantissas of MANTISSAS) {
      const splits = [];
      for (let power = Math.floor(Math.log10(min)); power <= Math.log10(max); power += 1) {
        for (const mantissa of mantissas) {
          const value = Number((mantissa * 10 ** power).toPrecision(3));
          if (value >= min && value <= max) splits.push(value);
        }
      }
      if (splits.length <= 9) return splits;
    }
    return [min, max];
  };

  // Charts that are redrawn together: on a change of theme, before printing, on another scale.
  const charts = [];
  const mount = (id, height, build) => {
    const place = byId(id);
    if (!place) return null;
    const chart = { place, plot: null };
    chart.draw = () => {
      const range = chart.plot && chart.plot.scales.x;
      if (chart.plot) chart.plot.destroy();
      const { data, ...options } = build();
      const width = root.classList.contains("printing") ? 680 : place.clientWidth;
      chart.plot = new uPlot({ width, height: width < 500 ? Math.round(height * 0.75) : height, ...options }, data, place);
      if (range && range.min != null && chart.keepsRange) chart.plot.setScale("x", { min: range.min, max: range.max });
    };
    charts.push(chart);
    chart.draw();
    place.addEventListener("keydown", (event) => step(chart, event));
    new ResizeObserver(() => {
      if (place.clientWidth > 0 && place.clientWidth !== chart.plot.width && !root.classList.contains("printing")) {
        chart.plot.setSize({ width: place.clientWidth, height: chart.plot.height });
      }
    }).observe(place);
    return chart;
  };

  const step = ({ plot }, event) => {
    const times = plot.data[0];
    const [first, last] = plot.series[0].idxs;
    const stride = event.shiftKey ? 20 : 1;
    const now = plot.cursor.idx ?? last;
    const next = { ArrowLeft: now - stride, ArrowRight: now + stride, Home: first, End: last }[event.key];
    if (next === undefined) return;
    event.preventDefault();
    const index = Math.max(first, Math.min(last, next));
    plot.setCursor({ left: plot.valToPos(times[index], "x"), top: plot.over.clientHeight / 2 }, true, true);
    const reading = byId("chart-reading");
    if (reading) reading.textContent = plot.series.map((series, i) => `${series.label} ${series.value(plot, plot.data[i][index], i, index)}`).join(", ");
  };

  const redraw = () => charts.forEach((chart) => chart.draw());

  // Equity above, drawdown below: one cursor, one range of time.
  const equity = report.equity;
  const fullRange = [equity.time[0], equity.time[equity.time.length - 1]];
  let scale = "linear";
  let pair = [];

  const sameRange = (plot, [min, max]) => Math.abs(plot.scales.x.min - min) < 1 && Math.abs(plot.scales.x.max - max) < 1;
  const yearsRange = (years) => [years > 0 ? Math.max(fullRange[0], fullRange[1] - years * YEAR) : fullRange[0], fullRange[1]];
  const onScale = (plot, key) => {
    if (key !== "x") return;
    const { min, max } = plot.scales.x;
    pair.filter((chart) => chart && chart.plot && chart.plot !== plot && !sameRange(chart.plot, [min, max]))
      .forEach((chart) => chart.plot.setScale("x", { min, max }));
    const isFull = sameRange(plot, fullRange);
    document.querySelectorAll("#range-buttons button").forEach((button) => {
      const years = Number(button.dataset.years);
      button.setAttribute("aria-pressed", String(years === 0 ? isFull : !isFull && sameRange(plot, yearsRange(years))));
    });
  };
  const timeChart = (more) => ({
    tzDate: (time) => uPlot.tzDate(new Date(time * 1000), "Etc/UTC"),
    cursor: { sync: { key: "equity", setSeries: false }, drag: { x: true, y: false }, points: { size: 6 } },
    hooks: { setScale: [onScale] },
    ...more,
  });
  // Day before month by name, so that nobody has to guess the order.
  const DATES = [
    [365 * DAY, "{YYYY}", null, null, null, null, null, null, 1],
    [28 * DAY, "{MMM}", "\n{YYYY}", null, null, null, null, null, 1],
    [DAY, "{D} {MMM}", "\n{YYYY}", null, null, null, null, null, 1],
    [60, "{HH}:{mm}", "\n{D} {MMM} {YYYY}", null, "\n{D} {MMM}", null, null, null, 1],
  ];
  const timeAxis = () => axis({ values: DATES });
  const dateSeries = { label: "Date", value: shown(dateText) };
  const logScale = { distr: 100, fwd: Math.log, bwd: Math.exp, range: (_, min, max) => [min / (max / min) ** 0.05, max * (max / min) ** 0.05] };

  if (equity.time.length > 1) {
    const benchmark = (values, format) => (values ? [benchmarkSeries(format)] : []);
    const columns = (first, second) => [equity.time, first].concat(second ? [second] : []);
    const equityChart = mount("equity-chart", 320, () => timeChart({
      data: columns(equity.strategy, equity.benchmark),
      scales: { y: scale === "log" ? logScale : {} },
      axes: [timeAxis(), valueAxis(moneyShort, scale === "log" ? { splits: logSplits } : {})],
      series: [dateSeries, strategySeries("Strategy", money)].concat(benchmark(equity.benchmark, money)),
    }));
    const drawdownChart = mount("drawdown-chart", 170, () => timeChart({
      data: columns(equity.drawdown, equity.benchmark_drawdown),
      scales: { y: { range: (_, min) => [Math.min(min * 1.05, -0.005), 0] } },
      axes: [timeAxis(), valueAxis(percentShort)],
      series: [dateSeries, strategySeries("Strategy drawdown", percent, { fill: color("--strategy-fill"), fillTo: 0 })].concat(benchmark(equity.benchmark_drawdown, percent)),
    }));
    pair = [equityChart, drawdownChart];
    pair.forEach((chart) => { chart.keepsRange = true; });

    byId("scale-buttons").addEventListener("click", ({ target }) => {
      if (!target.dataset.scale) return;
      scale = target.dataset.scale;
      for (const button of byId("scale-buttons").children) button.setAttribute("aria-pressed", String(button === target));
      equityChart.draw();
    });
    byId("range-buttons").addEventListener("click", ({ target }) => {
      if (!target.dataset.years) return;
      const [min, max] = yearsRange(Number(target.dataset.years));
      equityChart.plot.setScale("x", { min, max });
    });
  }

  // Losses of one fold: every member's training and validation curve.
  const foldChoice = byId("loss-fold");
  if (foldChoice) {
    const lossChart = mount("loss-chart", 240, () => {
      const curves = report.losses.filter((curve) => curve.fold === Number(foldChoice.value));
      const lines = curves.flatMap(({ member }) => [
        { label: `Member ${member} training`, stroke: color("--benchmark"), dash: [5, 3], width: 1.25 },
        { label: `Member ${member} validation`, stroke: color("--strategy"), width: 1.5 },
      ]);
      return {
        data: uPlot.join(curves.map((curve) => [curve.epoch, curve.train, curve.valid])),
        scales: { x: { time: false } },
        cursor: { drag: { x: true, y: false }, points: { size: 6 } },
        legend: { show: curves.length < 6 },
        axes: [axis({ incrs: [1, 2, 5, 10, 20, 50, 100, 200, 500, 1000, 2000, 5000] }), valueAxis(loss)],
        series: [{ label: "Epoch", value: shown(String) }].concat(lines.map((line) => ({ ...line, spanGaps: true, points: { show: false }, value: shown(loss) }))),
      };
    });
    foldChoice.addEventListener("change", lossChart.draw);
    if (byId("gradient-chart")) {
      const gradientChart = mount("gradient-chart", 160, () => {
        const curves = report.losses.filter((curve) => curve.fold === Number(foldChoice.value));
        return {
          data: uPlot.join(curves.map((curve) => [curve.epoch, curve.gradient])),
          scales: { x: { time: false } },
          cursor: { drag: { x: true, y: false }, points: { size: 6 } },
          legend: { show: curves.length < 6 },
          axes: [axis({ incrs: [1, 2, 5, 10, 20, 50, 100, 200, 500, 1000, 2000, 5000] }), valueAxis(loss)],
          series: [{ label: "Epoch", value: shown(String) }].concat(curves.map(({ member }) => strategySeries(`Member ${member} gradient norm`, loss, { spanGaps: true }))),
        };
      });
      foldChoice.addEventListener("change", gradientChart.draw);
    }
  }

  // Trades: sort by any column, filter by symbol or side.
  const table = byId("trade-table");
  if (table) {
    const body = table.tBodies[0];
    const key = (row, column) => row.cells[column].dataset.key ?? row.cells[column].textContent;
    const numeric = (a, b) => (Number.isNaN(Number(a)) || Number.isNaN(Number(b)) ? (a < b ? -1 : Number(a > b)) : a - b);
    [...table.tHead.rows[0].cells].forEach((head, column) => {
      const button = document.createElement("button");
      button.type = "button";
      button.textContent = head.textContent;
      head.replaceChildren(button);
      button.addEventListener("click", () => {
        const sign = head.getAttribute("aria-sort") === "ascending" ? -1 : 1;
        for (const other of table.tHead.rows[0].cells) other.removeAttribute("aria-sort");
        head.setAttribute("aria-sort", sign === 1 ? "ascending" : "descending");
        body.append(...[...body.rows].sort((a, b) => sign * numeric(key(a, column), key(b, column))));
      });
    });
    byId("trade-filter").addEventListener("input", ({ target }) => {
      const wanted = target.value.trim().toLowerCase();
      for (const row of body.rows) {
        row.hidden = !`${row.cells[0].textContent} ${row.cells[1].textContent}`.toLowerCase().includes(wanted);
      }
    });
  }

  document.querySelectorAll("[data-script]").forEach((element) => { element.hidden = false; });
  matchMedia("(prefers-color-scheme: dark)").addEventListener("change", redraw);
  addEventListener("beforeprint", () => { root.classList.add("printing"); redraw(); });
  addEventListener("afterprint", () => { root.classList.remove("printing"); redraw(); });
})();
