// Line and stacked plots as SVG text, for a page that is light or dark: colours are CSS classes
// (s0 … s5, axis, grid). Pure.
#pragma once

#include <string>
#include <utility>
#include <vector>

namespace revcache::bench {

enum class Scale : unsigned char { linear, logarithmic };

struct Line {
  std::string name;
  std::vector<std::pair<double, double>> points{};  // not finite or, on a log scale, <= 0: a gap
};

struct Tick {
  double at;
  std::string text;
};

struct Plot {
  std::string title;
  std::string x_name;
  std::string y_name;
  std::vector<Line> lines{};
  Scale y_scale = Scale::linear;
  double x_min = 0;
  double x_max = 1;
  std::vector<Tick> x_ticks{};              // none: some are chosen
  std::string (*y_text)(double) = nullptr;  // of a tick
  bool stacked = false;                     // areas, one upon the other; same x in all lines
};

std::string svg_of(const Plot& plot);
// For text and attribute values of XML.
std::string xml_escaped(const std::string& text);

}  // namespace revcache::bench
