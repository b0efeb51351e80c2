package org.sapwood.synthesis;

import java.util.ArrayList;
import java.util.Collections;
import java.util.Comparator;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Random;

/** How the matrices that train are chosen among the candidates. */
public enum SelectionRule {
    /** Privately, by the squared norms of clipped gradients: DP-SAPF as published. */
    ENERGY(true),
    /** Privately, each example voting for its most salient matrices: the authors' later variant. */
    VOTE(true),
    /** Privately, by the mean energy of whole blocks: the paper's layer-level ablation. */
    LAYER(true),
    /** At random, without looking at the data: an ablation. */
    RANDOM(false),
    /** All candidates: DP-LoRA. */
    ALL(false);

    private final boolean queries;

    SelectionRule(boolean queries) {
        this.queries = queries;
    }

    /** Whether the private data is asked, which costs budget. */
    public boolean queries() {
        return queries;
    }

    /**
     * How many of {@code candidates} matrices are kept: ⌊fraction·candidates⌋, at least one.
     *
     * @param fraction c in (0, 1]
     */
    static int count(int candidates, double fraction) {
        return Math.max(1, (int) Math.floor(candidates * fraction + 1e-9));
    }

    /**
     * The candidates kept, in the order of the candidates.
     *
     * @param scores noisy scores, one per candidate; ignored by the rules that do not ask
     * @param fraction c in (0, 1]
     * @param seed of the random choice
     */
    List<String> choose(List<String> candidates, double[] scores, double fraction, long seed) {
        int kept = count(candidates.size(), fraction);
        List<String> ranked = new ArrayList<>(candidates);
        switch (this) {
            case ALL -> {
                return List.copyOf(candidates);
            }
            case RANDOM -> Collections.shuffle(ranked, new Random(seed));
            case ENERGY, VOTE -> {
                ranked.sort(Comparator.comparingDouble((String name) -> -scores[candidates.indexOf(name)]));
            }
            case LAYER -> ranked = byBlock(candidates, scores);
        }
        List<String> chosen = ranked.subList(0, kept);
        return candidates.stream().filter(chosen::contains).toList();
    }

    /** Candidates of the block with the highest mean score first, then those of the next. */
    private static List<String> byBlock(List<String> candidates, double[] scores) {
        Map<String, List<Integer>> blocks = new LinkedHashMap<>();
        for (int i = 0; i < candidates.size(); i++) {
            blocks.computeIfAbsent(block(candidates.get(i)), b -> new ArrayList<>())
                    .add(i);
        }
        return blocks.values().stream()
                .sorted(Comparator.comparingDouble((List<Integer> members) ->
                        -members.stream().mapToDouble(i -> scores[i]).average().orElseThrow()))
                .flatMap(List::stream)
                .map(candidates::get)
                .toList();
    }

    /** The resnet, attention or other unit that a matrix belongs to, such as {@code mid_block.attentions.0}. */
    static String block(String matrix) {
        String[] parts = matrix.split("\\.");
        int length = parts[0].endsWith("_blocks") ? 4 : parts[0].equals("mid_block") ? 3 : 1;
        return String.join(".", List.of(parts).subList(0, Math.min(length, parts.length - 1)));
    }
}
