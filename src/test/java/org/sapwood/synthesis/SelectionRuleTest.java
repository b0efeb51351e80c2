package org.sapwood.synthesis;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertNotEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.util.List;
import org.junit.jupiter.api.Test;
import org.sapwood.nn.UNet;
import org.sapwood.nn.UNetConfig;

class SelectionRuleTest {
    private static final List<String> CANDIDATES = List.of(
            "mid_block.attentions.0.to_q.weight",
            "mid_block.attentions.0.to_out.0.weight",
            "up_blocks.0.attentions.1.to_q.weight",
            "up_blocks.0.attentions.1.to_out.0.weight");

    @Test
    void keepsTheFloorOfTheFractionButAtLeastOne() {
        assertEquals(4, SelectionRule.count(16, 0.3));
        assertEquals(3, SelectionRule.count(10, 0.3));
        assertEquals(1, SelectionRule.count(10, 0.01));
        assertEquals(10, SelectionRule.count(10, 1));
    }

    @Test
    void energyAndVoteKeepTheHighestScoresInModelOrder() {
        double[] scores = {0.1, 3, -2, 0.7};
        for (SelectionRule rule : List.of(SelectionRule.ENERGY, SelectionRule.VOTE)) {
            assertEquals(List.of(CANDIDATES.get(1), CANDIDATES.get(3)), rule.choose(CANDIDATES, scores, 0.5, 0));
        }
    }

    @Test
    void layerKeepsWholeBlocks() {
        double[] scores = {0.1, 3, 2, 2};
        assertEquals(CANDIDATES.subList(2, 4), SelectionRule.LAYER.choose(CANDIDATES, scores, 0.5, 0));
        assertEquals("mid_block.attentions.0", SelectionRule.block(CANDIDATES.get(1)));
        assertEquals("up_blocks.0.attentions.1", SelectionRule.block(CANDIDATES.get(2)));
        assertEquals("time_embedding", SelectionRule.block("time_embedding.linear_1.weight"));
    }

    @Test
    void randomFollowsTheSeedAndAsksNothing() {
        List<String> all = CandidateSet.ALL.matrices(new UNet(UNetConfig.unet28(11)));
        List<String> first = SelectionRule.RANDOM.choose(all, new double[0], 0.3, 1);
        assertEquals(first, SelectionRule.RANDOM.choose(all, new double[0], 0.3, 1));
        assertNotEquals(first, SelectionRule.RANDOM.choose(all, new double[0], 0.3, 2));
        assertTrue(!SelectionRule.RANDOM.queries() && !SelectionRule.ALL.queries());
    }

    @Test
    void theSetsOfUnet28AreNested() {
        UNet model = new UNet(UNetConfig.unet28(11));
        assertEquals(16, CandidateSet.ATTENTION.matrices(model).size());
        List<String> linear = CandidateSet.LINEAR.matrices(model);
        assertEquals(16 + 2 + 11, linear.size(), "attention, time embedding, one time projection per resnet");
        List<String> all = CandidateSet.ALL.matrices(model);
        assertTrue(all.containsAll(linear));
        assertTrue(all.contains("up_blocks.2.resnets.1.conv2.weight"));
        assertTrue(!all.contains("conv_in.weight") && !all.contains("conv_out.weight"));
    }
}
