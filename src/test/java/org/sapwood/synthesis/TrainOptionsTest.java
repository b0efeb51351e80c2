package org.sapwood.synthesis;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.nio.file.Path;
import java.util.LinkedHashMap;
import java.util.Map;
import java.util.OptionalLong;
import org.junit.jupiter.api.Test;
import org.sapwood.io.Json;
import org.sapwood.io.UserException;

class TrainOptionsTest {
    private static final TrainOptions OPTIONS = TinyModels.options(Path.of("model.safetensors"), OptionalLong.of(3));

    @Test
    void runJsonHoldsEverythingNeededToResume() {
        Map<String, Object> json = Json.parseObject(Json.pretty(OPTIONS.toJson()), "run.json");
        assertEquals(OPTIONS, TrainOptions.fromJson(json));
    }

    @Test
    void aMissingOptionIsNamed() {
        Map<String, Object> json = new LinkedHashMap<>(OPTIONS.toJson());
        json.remove("clipNorm");
        UserException e = assertThrows(UserException.class, () -> TrainOptions.fromJson(json));
        assertTrue(e.getMessage().contains("clipNorm"), e.getMessage());
    }

    @Test
    void anUnknownConstantListsTheKnownOnes() {
        Map<String, Object> json = new LinkedHashMap<>(OPTIONS.toJson());
        json.put("selection", "BEST");
        UserException e = assertThrows(UserException.class, () -> TrainOptions.fromJson(json));
        assertTrue(e.getMessage().contains("ENERGY") && e.getMessage().contains("BEST"), e.getMessage());
    }

    @Test
    void dpLoraAdaptsAllCandidates() {
        TrainOptions options =
                TinyModels.options(Method.DP_LORA, SelectionRule.ENERGY, Path.of("m"), 4, 4, OptionalLong.empty());
        assertEquals(SelectionRule.ALL, options.selection());
    }
}
