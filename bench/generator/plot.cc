#include "bench/generator/plot.h"

#include <algorithm>
#include <cmath>
#include <cstdio>

namespace revcache::bench {
namespace {

constexpr double kWidth = 720;
constexpr double kHeight = 300;
constexpr double kLeft = 72;
constexpr double kRight = 16;
constexpr double kTop = 16;
constexpr double kBottom = 48;
constexpr int kTicks = 5;

std::string number(double value) {
  char text[32];
  std::snprintf(text, sizeof(text), "%.1f", value);
  return text;
}

std::string short_number(double value) {
  char text[32];
  std::snprintf(text, sizeof(text), "%.6g", value);
  return text;
}

// The next 1, 2 or 5 times a power of ten that is not below.
double round_step(double value) {
  if (value <= 0) return 1;
  const double power = std::pow(10.0, std::floor(std::log10(value)));
  for (const double factor : {1.0, 2.0, 5.0}) {
    if (factor * power >= value * 0.999) return factor * power;
  }
  return 10 * power;
}

class Drawing {
 public:
  explicit Drawing(const Plot& plot) : plot_(plot) { find_range(); }

  std::string draw() {
    out_ = "<figure><figcaption>" + xml_escaped(plot_.title) + "</figcaption><svg viewBox=\"0 0 " +
           number(kWidth) + ' ' + number(kHeight) + "\" role=\"img\" aria-label=\"" +
           xml_escaped(plot_.title) + "\">";
    draw_x_axis();
    draw_y_axis();
    plot_.stacked ? draw_areas() : draw_lines();
    out_ += "</svg>";
    draw_legend();
    return out_ + "</figure>\n";
  }

 private:
  void find_range() {
    bool any = false;
    std::vector<double> sums;
    for (const Line& line : plot_.lines) {
      for (std::size_t at = 0; at < line.points.size(); ++at) {
        double value = line.points[at].second;
        if (!usable(value)) continue;
        if (plot_.stacked) {
          if (sums.size() <= at) sums.resize(at + 1, 0);
          value = sums[at] += value;
        }
        low_ = any ? std::min(low_, value) : value;
        high_ = any ? std::max(high_, value) : value;
        any = true;
      }
    }
    if (plot_.y_scale == Scale::logarithmic) {
      low_ = any ? std::pow(10.0, std::floor(std::log10(low_))) : 1;
      high_ = any ? std::pow(10.0, std::ceil(std::log10(high_))) : 10;
      if (high_ <= low_) high_ = low_ * 10;
    } else {
      low_ = 0;
      step_ = round_step((any ? high_ : 1) / kTicks);
      high_ = std::max(step_, std::ceil((any ? high_ : 1) / step_) * step_);
    }
  }

  [[nodiscard]] bool usable(double value) const {
    return std::isfinite(value) && (plot_.y_scale == Scale::linear || value > 0);
  }

  [[nodiscard]] double x_of(double value) const {
    const double part = (value - plot_.x_min) / std::max(plot_.x_max - plot_.x_min, 1e-12);
    return kLeft + std::clamp(part, 0.0, 1.0) * (kWidth - kLeft - kRight);
  }

  [[nodiscard]] double y_of(double value) const {
    const double part = plot_.y_scale == Scale::linear
                            ? (value - low_) / (high_ - low_)
                            : std::log(value / low_) / std::log(high_ / low_);
    return kHeight - kBottom - std::clamp(part, 0.0, 1.0) * (kHeight - kTop - kBottom);
  }

  void text(double x, double y, const char* anchor, const std::string& content) {
    out_ += "<text x=\"" + number(x) + "\" y=\"" + number(y) + "\" text-anchor=\"" + anchor +
            "\">" + xml_escaped(content) + "</text>";
  }

  void segment(const char* kind, double x1, double y1, double x2, double y2) {
    out_ += std::string("<line class=\"") + kind + "\" x1=\"" + number(x1) + "\" y1=\"" +
            number(y1) + "\" x2=\"" + number(x2) + "\" y2=\"" + number(y2) + "\"/>";
  }

  void draw_x_axis() {
    const double bottom = kHeight - kBottom;
    segment("axis", kLeft, bottom, kWidth - kRight, bottom);
    std::vector<Tick> ticks = plot_.x_ticks;
    if (ticks.empty()) {
      const double step = round_step((plot_.x_max - plot_.x_min) / (kTicks + 1));
      for (double at = plot_.x_min; at <= plot_.x_max * 1.0001; at += step) {
        ticks.push_back({at, short_number(at)});
      }
    }
    for (const Tick& tick : ticks) {
      segment("grid", x_of(tick.at), kTop, x_of(tick.at), bottom);
      text(x_of(tick.at), bottom + 16, "middle", tick.text);
    }
    text((kLeft + kWidth - kRight) / 2, kHeight - 8, "middle", plot_.x_name);
  }

  void y_tick(double value) {
    segment("grid", kLeft, y_of(value), kWidth - kRight, y_of(value));
    text(kLeft - 6, y_of(value) + 4, "end",
         plot_.y_text != nullptr ? plot_.y_text(value) : short_number(value));
  }

  void draw_y_axis() {
    if (plot_.y_scale == Scale::logarithmic) {
      for (double at = low_; at <= high_ * 1.0001; at *= 10) y_tick(at);
    } else {
      for (double at = 0; at <= high_ * 1.0001; at += step_) y_tick(at);
    }
    text(4, kTop - 4, "start", plot_.y_name);
  }

  void draw_lines() {
    for (std::size_t index = 0; index < plot_.lines.size(); ++index) {
      std::string path;
      bool pen_down = false;
      for (const auto& [x, y] : plot_.lines[index].points) {
        if (!usable(y)) {
          pen_down = false;
          continue;
        }
        path += (pen_down ? 'L' : 'M') + number(x_of(x)) + ' ' + number(y_of(y));
        // A lone point is a line of no length, which round caps make visible.
        if (!pen_down) path += 'L' + number(x_of(x)) + ' ' + number(y_of(y));
        pen_down = true;
      }
      if (path.empty()) continue;
      out_ += "<path class=\"line s" + std::to_string(index) + "\" d=\"" + path + "\"><title>" +
              xml_escaped(plot_.lines[index].name) + "</title></path>";
    }
  }

  void draw_areas() {
    std::vector<double> base;
    for (std::size_t index = 0; index < plot_.lines.size(); ++index) {
      const auto& points = plot_.lines[index].points;
      base.resize(points.size(), 0);
      std::string upper;
      std::string lower;
      for (std::size_t at = 0; at < points.size(); ++at) {
        const std::string x = number(x_of(points[at].first));
        lower.insert(0, 'L' + x + ' ' + number(y_of(base[at])));
        base[at] += points[at].second;
        upper += (at == 0 ? 'M' : 'L') + x + ' ' + number(y_of(base[at]));
      }
      if (points.empty()) continue;
      out_ += "<path class=\"area s" + std::to_string(index) + "\" d=\"" + upper + lower +
              "Z\"><title>" + xml_escaped(plot_.lines[index].name) + "</title></path>";
    }
  }

  void draw_legend() {
    if (plot_.lines.size() < 2) return;
    out_ += "<ul class=\"legend\">";
    for (std::size_t index = 0; index < plot_.lines.size(); ++index) {
      out_ += "<li><span class=\"key s" + std::to_string(index) + "\"></span>" +
              xml_escaped(plot_.lines[index].name) + "</li>";
    }
    out_ += "</ul>";
  }

  const Plot& plot_;
  std::string out_;
  double low_ = 0;
  double high_ = 1;
  double step_ = 1;
};

}  // namespace

std::string svg_of(const Plot& plot) { return Drawing(plot).draw(); }

std::string xml_escaped(const std::string& text) {
  std::string out;
  for (const char c : text) {
    switch (c) {
      case '&':
        out += "&amp;";
        break;
      case '<':
        out += "&lt;";
        break;
      case '>':
        out += "&gt;";
        break;
      case '"':
        out += "&quot;";
        break;
      default:
        // XML 1.0 2.2: other control characters are no characters of a document.
        if (static_cast<unsigned char>(c) >= 0x20 || c == '\n' || c == '\t') out += c;
    }
  }
  return out;
}

}  // namespace revcache::bench
