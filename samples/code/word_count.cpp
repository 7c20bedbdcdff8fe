// Count the words of a text and print the most frequent ones.
#include <algorithm>
#include <cctype>
#include <iomanip>
#include <iostream>
#include <map>
#include <string>
#include <utility>
#include <vector>

using Entry = std::pair<std::string, std::size_t>;

std::vector<Entry> most_frequent(std::istream& input, std::size_t limit = 10) {
    std::map<std::string, std::size_t> words;
    for (std::string word; input >> word;) {
        std::transform(word.begin(), word.end(), word.begin(),
                       [](unsigned char c) { return static_cast<char>(std::tolower(c)); });
        ++words[word];
    }
    std::vector<Entry> entries(words.begin(), words.end());
    std::stable_sort(entries.begin(), entries.end(),
                     [](const Entry& a, const Entry& b) { return a.second > b.second; });
    entries.resize(std::min(limit, entries.size()));
    return entries;
}

int main() {
    for (const auto& [word, count] : most_frequent(std::cin)) {
        std::cout << std::setw(8) << count << "  " << word << '\n';
    }
}
